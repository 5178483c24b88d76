package executors

import (
	"os"

	"github.com/tasker-systems/tasker-worker/executors/internal/process"
	"github.com/tasker-systems/tasker-worker/internal/ownfolder"
)

// scratchPrefix begins the names of the folders of supervisors. Such a folder holds the hosts, and a folder for each process.
const scratchPrefix = "tasker-worker-"

func newScratch() (ownfolder.Folder, error) { return ownfolder.Make(os.TempDir(), scratchPrefix) }

// removeStaleScratch removes the folders that killed workers left behind, and what still runs of them. What it may not touch, it
// leaves.
func removeStaleScratch() {
	ownfolder.RemoveStale(os.TempDir(), scratchPrefix, process.SweepAbandoned)
}
