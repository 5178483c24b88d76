package host

import (
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/tasker-systems/tasker-worker/executors/internal/wire"
)

// noticesMax is how many notices wait for their reader; more are dropped, as each process says the same again if it is still so.
const noticesMax = 16

// Notice is something about a process that its pool should know.
type Notice struct {
	// Credit is the number of steps at once that the process takes from now on, 0 for no change.
	Credit int
	// Recycle asks for the replacement of the process, and says why.
	Recycle string
	// Stuck is a file that the replacement should leave out, nil for none.
	Stuck *LoadError
}

// Notices are what the process says about itself and what is seen of it. The supervisor reads them.
func (h *Host) Notices() <-chan Notice { return h.notices }

func (h *Host) notice(n Notice) {
	select {
	case h.notices <- n:
	default: // no reader
	}
}

// status takes an executor.status notification.
func (h *Host) status(params json.RawMessage) {
	var s struct {
		LoadError      wire.Lenient[LoadError] `json:"load_error"`
		MaxConcurrency wire.Lenient[int]       `json:"max_concurrency"`
		State          wire.Text               `json:"state"`
		Reason         wire.Text               `json:"reason"`
	}
	if err := json.Unmarshal(params, &s); err != nil {
		h.violation("sent an executor.status notification that cannot be read")
		return
	}
	if s.MaxConcurrency.Wrong != "" {
		h.violation("sent an executor.status notification whose max_concurrency is " + s.MaxConcurrency.Wrong)
	}
	n := Notice{Credit: min(max(s.MaxConcurrency.Value, 0), h.options.Initialize.MaxConcurrency)}
	if s.State == "recycle_me" {
		n.Recycle = "asked for it"
		if s.Reason != "" {
			n.Recycle += ": " + wire.Clean(string(s.Reason), nameBytesMax)
		}
		if s.LoadError.Value.File != "" {
			e := s.LoadError.Value.clean()
			n.Stuck = &e
		}
	}
	if n != (Notice{}) {
		h.notice(n)
	}
}

// checkMemory asks for the replacement of a process that has grown too large.
func (h *Host) checkMemory() {
	limit := h.options.RecycleMemory
	if limit == 0 {
		return
	}
	if used := residentBytes(h.process.PID()); used > limit {
		h.notice(Notice{Recycle: fmt.Sprintf("has %d MiB in memory", used>>20)})
	}
}

// residentBytes is the memory that a process has, 0 where the system does not say.
func residentBytes(pid int) int64 {
	statm, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/statm")
	fields := strings.Fields(string(statm))
	if err != nil || len(fields) < 2 {
		return 0
	}
	pages, err := strconv.ParseInt(fields[1], 10, 64)
	if err != nil {
		return 0
	}
	return pages * int64(os.Getpagesize())
}
