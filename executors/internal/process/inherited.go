package process

// CloseInherited keeps from the processes that are started from now on what this one found open at its own start. A
// [Starter] does the same.
func CloseInherited() { closeInherited() }
