import dataclasses

import numpy as np

from emojax.corpora.spec import Clip, CorpusSpec
from emojax.data.prepared import PreparedCorpus
from emojax.evaluation.by_sex import with_sexes
from emojax.evaluation.metrics import score


def test_each_sex_that_is_known_is_scored_by_itself():
    spec = CorpusSpec("demo", ("high", "low"), sexes={"female": ("a",), "male": ("b",)})
    speakers = [who for who in "abc" for _ in range(4)]
    clips = [Clip("", "", who, "", 1.0, "", "") for who in speakers]
    source = PreparedCorpus(spec, clips, None)
    truth = np.array([0, 1] * 6)
    prediction = np.array([0, 1, 0, 1, 0, 0, 0, 0, 1, 0, 1, 0])
    result = score("demo", "", spec.labels, truth, prediction, speakers)
    both = with_sexes(result, [source], truth, prediction, speakers)
    assert {sex: (one.uar, one.n, one.speakers) for sex, one in both.by_sex.items()} == {
        "female": (1.0, 4, 1),
        "male": (0.5, 4, 1),
    }
    assert both.to_json()["by_sex"]["male"]["chance"] == 0.5
    named = [f"demo/{who}" for who in speakers]  # as in a domain of several corpora
    assert with_sexes(result, [source], truth, prediction, named).by_sex == both.by_sex
    plain = dataclasses.replace(source, spec=dataclasses.replace(spec, sexes={}))
    assert with_sexes(result, [plain], truth, prediction, speakers).by_sex == {}
