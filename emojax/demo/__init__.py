"""The page of ``emojax demo``: served from here, or as a folder that needs no server of ours."""
