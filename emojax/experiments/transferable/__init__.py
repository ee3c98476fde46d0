"""Transfer of features between corpora: Tables 1 to 5 of Marczewski et al. (ICMI 2017)."""
