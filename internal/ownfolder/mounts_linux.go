package ownfolder

import (
	"os"
	"strings"
)

// mountBelow is a mount point in the folder, empty when there is none.
func mountBelow(folder string) string {
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return ""
	}
	plain := strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`)
	for line := range strings.Lines(string(mounts)) {
		fields := strings.Fields(line)
		if len(fields) < 5 {
			continue
		}
		if point := plain.Replace(fields[4]); point == folder || strings.HasPrefix(point, folder+"/") {
			return point
		}
	}
	return ""
}
