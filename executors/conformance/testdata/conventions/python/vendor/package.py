raise RuntimeError("a skipped folder was loaded")
