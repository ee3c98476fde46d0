"""The entries that every manifest has, for tests of checkpoints that need no more."""

MANIFEST = {
    "emojax": "0.1.0",
    "front_end": {},
    "corpora": {"a": ["x", "y"]},
    "partitions": {},
    "config": {},
    "schedules": {},
    "devel_uar": {},
    "best_step": 1,
}
