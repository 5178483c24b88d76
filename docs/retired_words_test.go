package docs_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// retired are names that the code had once, by package, each with the word of the glossary in its place. A method or a
// field is written with its type.
var retired = map[string]map[string]string{
	"engine": {
		"Wish": "ClaimRequest", "Claim": "ClaimResult", "Finish": "FinishRequest", "Recorded": "FinishResult",
		"Return": "GiveBackRequest", "Extras": "SideEffects", "Opening": "RunRequest", "room": "heldSlot",
		"roomPatience": "slotTimeout", "ReasonNoRoom": "ReasonNoSlot", "Running": "RunningAttempts", "Due": "ScheduledWake",
		"ErrRejected": "ErrDataRejected", "ErrRefused": "ErrInvalidRequest", "ErrLeaseLost": "ErrClaimLost",
		"OutcomeLost": "OutcomeClaimLost", "Slot.Keep": "Reuse", "Runner.tell": "logOutcome", "Runner.about": "attemptLogger",
	},
	"queue": {
		"taker": "jobRunner", "line": "coalescer", "patientLines": "perTaskBatches", "patientLine": "taskBatch",
		"patientMax": "lockWaitersMax", "waker": "wakeScheduler", "wish": "wakeUp", "wakerGrain": "wakeResolution",
		"quiet": "warnOnly", "LogKeeper": "AttemptLogWriter", "lease.watch": "renewAndCheck", "lease.end": "unregister",
		"batcher.turns": "exclusive", "batcher.crowd": "lastSize", "batcher.underway": "inFlight",
	},
	"sql": {
		"TickWish": "TickRequest", "Lock": "LockMode", "Wait": "WaitForLock", "Skip": "SkipLocked", "TickBusy": "TickLocked",
		"FetchBusy": "FetchLocked", "Watched": "HeartbeatResult", "Swept": "MaintenanceResult", "place": "collectByPosition",
		"refused": "asInvalidRequest", "facts": "expectedSchema", "catalog": "actualSchema",
		"Store.HeartbeatRunning": "HeartbeatWithClaims", "Store.Patrol": "Maintain", "Task.TemplateHas": "TemplateSynced",
	},
	"executors": {
		"seat": "child", "seat.heed": "handleNotice", "slot.heed": "applyRefusal", "member.worn": "recycleDue",
		"member.credit": "capacity", "pool.wear": "requestRecycle", "pool.setCredit": "setCapacity",
		"pool.roomLocked": "findSlotLocked", "Supervisor.judge": "applyCrashPolicy", "Supervisor.bury": "awaitExit",
		"Supervisor.notAlone": "isolatedStartFailed", "table": "routingTable", "generation.fruitless": "errNothingServed",
		"idler": "idleHost", "programSlot": "commandSlot", "settledAfter": "healthyAfter", "probedAfter": "circuitCloseAfter",
	},
	"executors/internal/host": {
		"Fate": "EndCause", "Ending": "ExecutionResult", "Death": "ExitCause", "DeathKind": "ExitKind", "pulse": "heartbeatState",
		"asked": "callbackState", "service": "callback", "refusal": "callbackError", "outbox": "sendQueue", "lone": "soleExecution",
		"folders": "scratchPool", "files": "executionFiles", "call.verdict": "endCause", "call.silent": "heartbeatMissed",
		"Host.servants": "callbackGroup", "Host.serving": "callbackSlots", "Host.settle": "failPending", "Host.insist": "dumpAndTerminate",
	},
	"executors/internal/logs":    {"Sink.Keep": "OnLine", "Sink.Hide": "Redact"},
	"executors/internal/process": {"adoptOrphans": "becomeSubreaper"},
	"cmd/tasker-worker": {
		"work": "runWorker", "hideCredentials": "overwriteCredentials", "output.gone": "readerClosed", "output.verdict": "finalCode",
		"withoutProcesses": "dropProcessRecords",
	},
	"templates": {"at": "sourcePos", "report": "diagnostics", "join2": "joinPath", "graph.around": "formatCycle"},
	"bench":     {"complaint": "lastLogLine", "ledger": "taskTracker", "Done": "TaskResult", "patience": "idleTimeout", "family": "processTreeTime"},
}

func TestRetiredNamesStayAway(t *testing.T) {
	t.Parallel()
	for dir, names := range retired {
		declared := declarations(t, filepath.Join("..", dir))
		for old, now := range names {
			if position, found := declared[old]; found {
				t.Errorf("%s declares %s: the word is %s, see docs/glossary.md", position, old, now)
			}
		}
	}
}

// declarations are the names that a package declares, with their places; those of methods and fields have the type in front.
func declarations(t *testing.T, dir string) map[string]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%s has no Go files: %v", dir, err)
	}
	declared, set := map[string]string{}, token.NewFileSet()
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(set, name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			for _, id := range namesIn(d) {
				declared[id.Name] = set.Position(id.Pos()).String()
			}
		}
	}
	return declared
}

// namesIn returns what a declaration declares. The identifiers are copies, with the name that [retired] would have.
func namesIn(d ast.Decl) (all []ast.Ident) {
	add := func(prefix string, id *ast.Ident) {
		all = append(all, ast.Ident{Name: prefix + id.Name, NamePos: id.NamePos})
	}
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Recv == nil {
			add("", d.Name)
		} else if on, ok := strings.CutSuffix(receiver(d), "."); ok {
			add(on+".", d.Name)
		}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch spec := spec.(type) {
			case *ast.ValueSpec:
				for _, id := range spec.Names {
					add("", id)
				}
			case *ast.TypeSpec:
				add("", spec.Name)
				fields := &ast.FieldList{}
				switch kind := spec.Type.(type) {
				case *ast.StructType:
					fields = kind.Fields
				case *ast.InterfaceType:
					fields = kind.Methods
				}
				for _, field := range fields.List {
					for _, id := range field.Names {
						add(spec.Name.Name+".", id)
					}
				}
			}
		}
	}
	return all
}

// receiver returns the type of a method with a dot behind it, nothing when it has no plain name.
func receiver(d *ast.FuncDecl) string {
	kind := d.Recv.List[0].Type
	if pointer, ok := kind.(*ast.StarExpr); ok {
		kind = pointer.X
	}
	if generic, ok := kind.(*ast.IndexExpr); ok {
		kind = generic.X
	}
	if id, ok := kind.(*ast.Ident); ok {
		return id.Name + "."
	}
	return ""
}

// retiredInText are names that are searched for as text: SQL functions, and what the hosts had.
var retiredInText = map[string][]string{
	"../sql": {
		"tasker.attempt_of", "tasker.next_attempt", "tasker.begin_tasks", "tasker.block_task", "tasker.claim_odd_step",
		"tasker.drop_lost_claim", "tasker.drop_lost_claims", "tasker.lost_next", "tasker.fence", "tasker.held_claim", "tasker.hold_worker",
		"tasker.judge_task", "tasker.finish_completed", "tasker.finish_others", "tasker.opened_steps", "tasker.pass_on",
		"tasker.take_queued", "tasker.settle_step", "tasker.settle_tasks", "tasker.settle_blocked", "tasker.settle_quiet",
		"tasker.link_spawned", "tasker.name_spawned", "tasker.materialise_steps", "p_thorough",
	},
	"../executors/python": {"class Turns", "class Pace", "class Link", "def bury", "def heed", "end_with_it", "hygiene"},
	"../executors/ruby":   {"class Turns", "class Pace", "make_room", "Surroundings", "Telling"},
	"../executors/node":   {"blot", "BLOT", "class Link", "hygiene"},
}

func TestRetiredWordsStayAway(t *testing.T) {
	t.Parallel()
	for dir, words := range retiredInText {
		quoted := make([]string, len(words))
		for i, word := range words {
			quoted[i] = regexp.QuoteMeta(word)
		}
		found := regexp.MustCompile(`\b(` + strings.Join(quoted, "|") + `)\b`)
		err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || !slices.Contains([]string{".go", ".sql", ".py", ".rb", ".js"}, filepath.Ext(path)) {
				return err
			}
			text, err := os.ReadFile(path)
			for i, line := range strings.Split(string(text), "\n") {
				if word := found.FindString(line); word != "" {
					t.Errorf("%s:%d has %q again, see docs/glossary.md", path, i+1, word)
				}
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
