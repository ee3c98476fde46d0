"""Export of a trained run for others: ``python -m emojax.export hub RUN DIR``.

hub  a published model for emojax.load, the package or the Hugging Face hub: weights as safetensors,
     config.json, a model card and the licence
"""

from absl import app, flags

from emojax.command_line import command

flags.DEFINE_string(
    "license", "unknown", "Of the weights, as the hub names it: cc-by-nc-sa-4.0, apache-2.0, ..."
)
flags.DEFINE_string("name", "", "Name of the model; that of DIR, if empty.")
flags.DEFINE_string(
    "unseen", "", "Answers of zero_shot for the card: OUT/runs/zero_shot/*/*/trained."
)
FLAGS = flags.FLAGS


def main(argv: list[str]) -> None:
    """Export a run and print the folder."""
    if len(argv) != 4 or argv[1] != "hub":
        raise app.UsageError("give: python -m emojax.export hub RUN DIR [--license=...]")
    with command("emojax.export", again="stopped; nothing was written"):
        from emojax.export.hub import export_hub

        print(export_hub(argv[2], argv[3], FLAGS.license, FLAGS.name, FLAGS.unseen))


if __name__ == "__main__":
    app.run(main)
