raise "a skipped folder was loaded"
