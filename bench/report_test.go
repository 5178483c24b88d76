package bench

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func sample(concurrency int, stepsPerSecond float64) Result {
	r := Result{
		System: "tasker", Workload: "linear-10", Handlers: Go, Indexes: OwnIndexes, Concurrency: concurrency, Round: 1,
	}
	r.fill(Measurement{Tasks: 10, Steps: 100, Latencies: []time.Duration{3e6, 1e6, 2e6, 4e6}, Usage: Usage{
		At: time.Duration(
			100 / stepsPerSecond * float64(time.Second),
		), Worker: 2 * time.Millisecond, Postgres: 5 * time.Millisecond,
		Statements: 30, WAL: 123400,
	}})
	return r
}

func TestTable(t *testing.T) {
	t.Parallel()
	var got strings.Builder
	r := sample(1000, 12345)
	if err := errors.Join(WriteHead(&got), r.WriteRow(&got)); err != nil {
		t.Fatal(err)
	}
	const want = "" +
		"SYSTEM       WORKLOAD        HANDLERS  INDEXES  AT ONCE   STEPS/S   TASKS/S   P50 MS   P95 MS   P99 MS  FIRST-LAST  WORKER US  HANDLER US    PG US  STATEMENTS  WAL BYTES\n" +
		"tasker       linear-10       go        own        1,000    12,345     1,235        2        4        4           -         20           -       50        0.30      1,234\n"
	if diff := cmp.Diff(want, got.String()); diff != "" {
		t.Errorf("table (-want +got):\n%s", diff)
	}
}

func TestNumber(t *testing.T) {
	t.Parallel()
	for v, want := range map[float64]string{
		0: "-", 0.004: "0.00", 0.5: "0.50", 7: "7", 9.876: "9.88", 56.78: "56.8", 100: "100", 999.6: "1,000",
		1234567: "1,234,567",
	} {
		if got := number(v); got != want {
			t.Errorf("number(%v) is %s, want %s", v, got, want)
		}
	}
}

func TestJSON(t *testing.T) {
	t.Parallel()
	var line strings.Builder
	r := sample(10, 50)
	if err := r.WriteJSON(&line); err != nil {
		t.Fatal(err)
	}
	if strings.Count(line.String(), "\n") != 1 {
		t.Errorf("not one line: %q", line.String())
	}
	var again Result
	if err := json.Unmarshal([]byte(line.String()), &again); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(r, again); diff != "" {
		t.Errorf("read back (-want +got):\n%s", diff)
	}
}

func TestMedianIsComputedPerFigure(t *testing.T) {
	t.Parallel()
	rounds := []Result{sample(1, 100), sample(1, 300), sample(1, 200)}
	rounds[0].P50, rounds[1].P50, rounds[2].P50 = 9, 7, 8
	got := Median(rounds)
	if got.StepsPerSecond != 200 || got.P50 != 8 || got.Round != 0 || got.Tasks != 30 {
		t.Errorf("median %+v", got)
	}
	if even := median([]float64{4, 1, 3, 2}); even != 2.5 {
		t.Errorf("median of 1 to 4 is %v, want 2.5", even)
	}
}

func TestPlotsAreDrawn(t *testing.T) {
	t.Parallel()
	var medians []Result
	for i, n := range []int{8, 100, 1000} {
		linear, fanOut := sample(n, float64(1000*(i+1))), sample(1, 1000)
		fanOut.Workload = fmt.Sprintf("fan-out-%d", n)
		medians = append(medians, linear, fanOut)
	}
	dir := t.TempDir()
	files, err := WritePlots(dir, Conditions{Machine: "a machine <of ours>", Server: "PostgreSQL"}, medians)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(
		[]string{filepath.Join(dir, "throughput.svg"), filepath.Join(dir, "cost.svg")}, files,
	); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	for _, file := range files {
		checkXML(t, file)
	}
}

func checkXML(t *testing.T, path string) {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for decoder := xml.NewDecoder(file); ; {
		if _, err := decoder.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
	}
}

func TestAxis(t *testing.T) {
	t.Parallel()
	a := newAxis([]float64{3, 40, 700})
	if diff := cmp.Diff([]float64{2, 5, 10, 20, 50, 100, 200, 500, 1000}, a.ticks()); diff != "" {
		t.Errorf("ticks (-want +got):\n%s", diff)
	}
	if one := newAxis([]float64{5}); one.low != 5 || one.high != 10 {
		t.Errorf("an axis for 5 reaches from %v to %v", one.low, one.high)
	}
}

func TestProcessTimeIsRead(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "stat")
	line := "42 (a (b) c) S 7 42 42 0 -1 4194560 100 0 0 0 11 22 33 44 20 0 1 0 100 0 0\n"
	if err := os.WriteFile(path, []byte(line), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := readProcess(path)
	want := process{id: 42, parent: 7, command: "a (b) c", own: 330 * time.Millisecond, ended: 770 * time.Millisecond}
	if err != nil || got != want {
		t.Errorf("read %+v, %v; want %+v", got, err, want)
	}
	all := []process{want, {id: 43, parent: 42, own: time.Second}, {id: 44, parent: 1, own: time.Minute}}
	if sum := processTreeTime(all, 42); sum != 2100*time.Millisecond {
		t.Errorf("the family took %s, want 2.1s", sum)
	}
}
