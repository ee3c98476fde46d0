"""tfds's own test of builders, for each publisher's layout; only these need TensorFlow."""

import tempfile
from pathlib import Path
from types import MappingProxyType

import pytest
from layouts import FILES, write_corpus

pytest.importorskip("tensorflow", reason='needs TensorFlow: pip install -e ".[test,tfds]"')
import tensorflow_datasets as tfds

from datasets.emoset.emoset_dataset_builder import Builder


def _case(corpus: str) -> type:
    """The test case of one layout."""

    class Case(tfds.testing.DatasetBuilderTestCase):
        DATASET_CLASS = Builder
        BUILDER_CONFIG_NAMES_TO_TEST = (corpus,)
        SPLITS = MappingProxyType({"clips": len(FILES[corpus])})

        @classmethod
        def setUpClass(cls):
            folder = cls.enterClassContext(tempfile.TemporaryDirectory())
            cls.EXAMPLE_DIR = write_corpus(corpus, Path(folder), *FILES[corpus])
            super().setUpClass()

        def _make_builder(self, config=corpus):
            # tf.data, with which the case reads, cannot read array_record.
            return Builder(
                config=config,
                source_dir=self.EXAMPLE_DIR,
                data_dir=self.tmp_dir,
                file_format="tfrecord",
            )

    Case.__name__ = Case.__qualname__ = f"Test{corpus.title()}"
    return Case


for _corpus in FILES:
    globals()[f"Test{_corpus.title()}"] = _case(_corpus)
