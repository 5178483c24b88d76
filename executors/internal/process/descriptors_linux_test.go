package process

import (
	"io"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

func TestChildGetsNoOtherDescriptors(t *testing.T) {
	t.Parallel()
	inherited, err := unix.Open(os.DevNull, unix.O_RDONLY, 0) // not closed on exec, as if a shell had passed it
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(inherited)
	s := NewStarter()
	defer s.Close()
	p, err := s.Start(Command{Args: []string{"/bin/ls", "/proc/self/fd"}})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	awaitEnd(t, p)
	got, err := io.ReadAll(p.Stdout)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"0", "1", "2", "3", "4", "5"} // the last is the folder that ls reads
	if diff := cmp.Diff(want, strings.Fields(string(got))); diff != "" {
		t.Errorf("descriptors (-want +got):\n%s", diff)
	}
}
