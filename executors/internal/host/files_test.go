package host

import (
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/tasker-systems/tasker-worker/executors/internal/process"
	"github.com/tasker-systems/tasker-worker/executors/internal/wire"
)

// trap is a host whose handlers may be another user, and a folder outside of their reach.
type trap struct {
	*Host

	t                 *testing.T
	outside, precious string
}

const preciousContent = "root's own"

func newTrap(t *testing.T) trap {
	t.Helper()
	h := &Host{logger: slog.New(slog.DiscardHandler), options: Options{Scratch: t.TempDir()}}
	if os.Geteuid() == 0 {
		h.options.Command.User = &process.User{GID: 65534, UID: 65534}
	}
	tr := trap{h, t, t.TempDir(), ""}
	tr.precious = filepath.Join(tr.outside, "params.json")
	if err := os.WriteFile(tr.precious, []byte(preciousContent), 0o600); err != nil {
		t.Fatal(err)
	}
	return tr
}

func (tr trap) must(err error) {
	tr.t.Helper()
	if err != nil {
		tr.t.Fatal(err)
	}
}

// check looks at what the handlers must not reach through the worker.
func (tr trap) check() {
	tr.t.Helper()
	for _, path := range []string{tr.outside, tr.precious} {
		info, err := os.Lstat(path)
		tr.must(err)
		if owner := info.Sys().(*syscall.Stat_t).Uid; int(owner) != os.Geteuid() {
			tr.t.Errorf("%s belongs to user %d now", path, owner)
		}
		if info.ModTime().Equal(untouched) {
			tr.t.Errorf("the time of %s was changed", path)
		}
	}
	if content, err := os.ReadFile(tr.precious); err != nil || string(content) != preciousContent {
		tr.t.Errorf("the file is %q now: %v", content, err)
	}
}

func TestFolderThatIsThereAlreadyIsNotTaken(t *testing.T) {
	t.Parallel()
	tr := newTrap(t)
	tr.must(os.Symlink(tr.outside, filepath.Join(tr.options.Scratch, "step-1")))
	if f := tr.openFiles(); f != nil {
		t.Errorf("the folder of a step is %s", f.Dir())
	}
	tr.check()
}

func TestParamsAreNotWrittenThroughSymlinks(t *testing.T) {
	t.Parallel()
	tr := newTrap(t)
	f := tr.openFiles()
	tr.must(os.Symlink(tr.precious, filepath.Join(f.Dir(), "params.json")))
	tr.must(os.Chtimes(f.Dir(), untouched, untouched))
	f.Close()
	again := tr.openFiles()
	if again.Dir() != f.Dir() {
		t.Fatalf("the folder is %s, want the same again: %s", again.Dir(), f.Dir())
	}
	if _, err := again.Write("params.json", []byte("{}")); err != nil {
		t.Error(err)
	}
	if content, err := os.ReadFile(filepath.Join(again.Dir(), "params.json")); string(content) != "{}" {
		t.Errorf("the handler reads %q: %v", content, err)
	}
	tr.check()
}

func TestFolderThatIsSwappedIsNotFollowed(t *testing.T) {
	t.Parallel()
	tr := newTrap(t)
	f := tr.openFiles()
	tr.must(os.Rename(f.Dir(), f.Dir()+"-away"))
	tr.must(os.Symlink(tr.outside, f.Dir()))
	if _, err := f.Write("params.json", []byte("{}")); err == nil {
		t.Error("the params were written")
	}
	hash := sha256.Sum256([]byte(preciousContent))
	if _, err := f.Read(wire.File{Bytes: int64(len(preciousContent)), Path: "params.json", SHA256: hex.EncodeToString(hash[:])}); err == nil {
		t.Error("the file was read")
	}
	f.Close()
	tr.check()
}

func TestOnlyParamsThatAreTooLargeFailTheirStep(t *testing.T) {
	t.Parallel()
	tr := newTrap(t)
	f := tr.openFiles()
	_, large := f.Write("params.json", make([]byte, FileBytesMax+1))
	tr.must(os.Remove(f.Dir()))
	_, absent := f.Write("params.json", []byte("{}"))
	if got := tr.unsent(large).Outcome; got.Failure == nil || !got.Failure.Permanent {
		t.Errorf("%v comes to %+v, want a permanent failure", large, got)
	}
	if got := tr.unsent(absent).Outcome; got.GiveBack == nil {
		t.Errorf("%v comes to %+v, want a give-back", absent, got)
	}
}
