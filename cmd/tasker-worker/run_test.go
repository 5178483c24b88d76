package main

import (
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tasker-systems/tasker-worker/client"
	"github.com/tasker-systems/tasker-worker/engine"
)

// complete creates a task with SQL and waits until it is complete.
func complete(t *testing.T, pool *pgxpool.Pool, template string) {
	t.Helper()
	var id int64
	const create = `SELECT tasker.create_task('shop', $1, '1.0.0', '{"amount": 7}')`
	if err := pool.QueryRow(t.Context(), create, template).Scan(&id); err != nil {
		t.Fatal(err)
	}
	task, err := client.New(pool).Wait(t.Context(), id)
	if err != nil || task.State != engine.Complete {
		t.Fatalf("task %d: %+v (%v), want it complete", id, task, err)
	}
}

var handlerPID = regexp.MustCompile(`"handler process is ready".*"pid":(\d+)`)

// children are the handler processes that a worker started.
func (b *background) children(t *testing.T) (pids []int) {
	t.Helper()
	for _, match := range handlerPID.FindAllStringSubmatch(b.log.String(), -1) {
		pid, err := strconv.Atoi(match[1])
		if err != nil {
			t.Fatal(err)
		}
		pids = append(pids, pid)
	}
	if len(pids) == 0 {
		t.Fatal("the log names no handler process")
	}
	return pids
}

// leavesNoChild checks that the handler processes of a worker that has ended are gone.
func (b *background) leavesNoChild(t *testing.T) {
	t.Helper()
	for _, pid := range b.children(t) {
		if err := syscall.Kill(pid, 0); err == nil {
			t.Errorf("handler process %d is still there", pid)
		}
	}
}

func TestRunEndsOnSignal(t *testing.T) {
	t.Parallel()
	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		t.Run(signal.String(), func(t *testing.T) {
			t.Parallel()
			w, pool := newShop(t)
			worker := w.start(t, "run")
			worker.says(t, "templates synced")
			complete(t, pool, "checkout")
			worker.signal(t, signal)
			if code := worker.wait(t); code != 0 {
				t.Errorf("exit code is %d, want 0", code)
			}
			worker.leavesNoChild(t)
		})
	}
}

func TestSecondSignalEndsAtOnce(t *testing.T) {
	t.Parallel()
	w, pool := newShop(t, "TASKER_DRAIN_TIMEOUT=10m", "TASKER_STEP_TIMEOUT=1h")
	w.write(t, "executors/ruby/shop/charge.rb", strings.Replace(chargeHandler, "{ charged", "warn 'has begun'; sleep 3600; { charged", 1))
	w.sync(t, pool)
	w.succeed(t, "task", "create", "shop/checkout@1.0.0", "--context", `{"amount": 7}`)
	worker := w.start(t, "run")
	worker.says(t, "has begun")
	worker.signal(t, syscall.SIGINT)
	worker.says(t, "worker drains")
	worker.signal(t, syscall.SIGINT)
	if code := worker.wait(t); code != exitFailure {
		t.Errorf("exit code is %d, want 1 for the step that was given back", code)
	}
	worker.leavesNoChild(t)
	task, err := client.New(pool).Task(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	if step := task.Steps[0]; step.State == engine.InProgress || step.State == engine.Complete {
		t.Errorf("step is %s, want it to have been given back", step.State)
	}
}

func TestTwoWorkersFromOneFolder(t *testing.T) {
	t.Parallel()
	w, pool := newShop(t)
	one, two := w.start(t, "run"), w.start(t, "run")
	for _, worker := range []*background{one, two} {
		worker.says(t, "worker started")
	}
	for range 5 {
		complete(t, pool, "checkout")
	}
	for _, worker := range []*background{one, two} {
		worker.signal(t, syscall.SIGTERM)
		if code := worker.wait(t); code != 0 {
			t.Errorf("exit code is %d, want 0", code)
		}
	}
}

func TestRunServesWhatItCan(t *testing.T) {
	t.Parallel()
	w, pool := newShop(t)
	w.write(t, "executors/ruby/shop/bad.rb", "raise 'no luck'\n")
	w.write(t, "executors/python/shop/bad.py", "raise ValueError('bad luck')\n")
	worker := w.start(t, "run")
	worker.says(t, `"handler not served: RuntimeError: no luck","language":"ruby","file":"ruby/shop/bad.rb","traceback":"`)
	worker.says(t, `"handler not served: ValueError: bad luck","language":"python","file":"python/shop/bad.py","traceback":"File `)
	worker.says(t, "templates synced")
	complete(t, pool, "checkout")
}

func TestRunReplacesTemplatesWhenAsked(t *testing.T) {
	t.Parallel()
	w, pool := newShop(t)
	w.sync(t, pool)
	w.write(t, "templates/checkout.yaml", strings.Replace(checkoutTemplate, "{name: charge,", "{name: charge, default_retry_limit: 5,", 1))
	worker := w.start(t, "run", "--replace")
	worker.says(t, `"templates synced","added":0,"replaced":1`)
}

func TestRunWatchesFiles(t *testing.T) {
	t.Parallel()
	w, pool := newShop(t)
	worker := w.start(t, "run", "--watch")
	worker.says(t, "worker started")
	worker.says(t, "files are watched")
	w.write(t, "executors/python/shop/pack.py", "class Pack:\n    def process(self, task, sequence, step):\n        return {}\n")
	w.write(t, "templates/more/pack.yaml", "name: pack\nnamespace_name: shop\nversion: 1.0.0\nstep_templates:\n  - {name: pack, handler_class: shop.pack.Pack}\n")
	worker.says(t, `"templates synced","added":1,"replaced":0,"unchanged":1`)
	complete(t, pool, "pack")
	w.write(t, "templates/broken.yaml", "name: [")
	worker.says(t, `"template is left out","fault":"templates/broken.yaml:1:7: `)
	complete(t, pool, "pack")
	worker.signal(t, syscall.SIGINT)
	if code := worker.wait(t); code != 0 {
		t.Errorf("exit code is %d, want 0", code)
	}
	worker.leavesNoChild(t)
}

func TestRunEndsWhenNobodyReadsItsLog(t *testing.T) {
	t.Parallel()
	w, _ := newShop(t)
	if out := w.shell(t, "PROGRAM run 2>&1 | head -n 1"); strings.Count(out, "\n") != 1 {
		t.Errorf("printed:\n%s\nwant one line", out)
	}
}
