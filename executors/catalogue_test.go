package executors

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The catalogue of what goes wrong with handler processes, and which tests show what must happen then. A test of another folder
// has the folder before its name; after a slash comes the id of a line of the conformance list.
var catalogue = []struct { //nolint:gochecknoglobals // a table
	id, demand string
	tests      []string
}{
	{"D1", "exit or crash in a handler: settled, explained, replaced", []string{
		"TestRealHostsThatDieInAHandlerLeaveTheirLastWordsAndAreReplaced", "TestCrashAmongSeveralGivesAllBackAndIsolatesThem",
		"TestCrashTellsExitAndSignalApart", "TestCrashOfTheOnlyExecutionIsItsFailure",
	}},
	{"D2", "out of memory: killed, and labelled so", []string{
		"TestRealHostsBeyondTheirMemoryAreKilledAndTheFailureSaysSo", "internal/process.TestMemoryBeyondTheLimitIsLabelled",
		"TestAddressSpaceIsLimited",
	}},
	{"D3", "endless loop: cancel, grace, kill; pings go on", []string{
		"TestRealHostsInAnEndlessLoopAreKilledAfterTheGrace", "TestOnlyNodeMayBeSilentWhileAStepRuns", "conformance.TestHosts/C8",
		"conformance.TestHosts/L2",
	}},
	{"D4", "hung interpreter or suspended process: killed", []string{
		"TestRealHostsThatHoldTheirInterpretersLockAreKilled", "TestSuspendedRealHostsAreKilledWhenTheirStepIsCancelled",
		"TestSuspendedProcessIsKilledThoughItCannotAnswer", "TestProcessThatDoesNotAnswerPingsIsReplaced",
	}},
	{"D5", "noise on stdout is log, never protocol", []string{
		"TestRealHostsRunHandlers", "conformance.TestHosts/I1", "conformance.TestHosts/I20", "../e2e.TestRudeHandlersAreSurvived",
	}},
	{"D6", "half a line, then death: discarded", []string{
		"TestCrashOfTheOnlyExecutionIsItsFailure", "internal/wire.TestLineReaderReadsLinesWholeAndDropsTheUnfinished",
	}},
	{"D7", "huge line: bounded reading, then kill", []string{
		"TestCrashOfTheOnlyExecutionIsItsFailure", "internal/wire.TestLineReaderRefusesLinesBeyondTheLimit", "TestExecuteTurnsAnswersIntoOutcomes",
	}},
	{"D8", "children that keep the pipes delay nothing", []string{
		"TestGrandchildrenDoNotHoldUpTheEnd", "internal/process.TestReadersEndThoughAGrandchildHoldsThePipes", "conformance.TestHosts/S8",
	}},
	{"D9", "a kill reaches grandchildren and daemons", []string{
		"internal/process.TestKillReachesTheWholeGroup", "internal/process.TestKillReachesWhatLeftTheGroup",
		"internal/process.TestEndOfAProcessTakesItsDaemonsWithIt", "internal/process.TestKillLeavesOthersAlone",
	}},
	{"D10", "stderr is drained, bounded and counted", []string{
		"TestFloodOfLogsIsDrainedAndCounted", "TestRealHostsRunHandlers", "conformance.TestHosts/I2", "internal/logs.TestLimiterAllowsARateAndCountsTheRest",
	}},
	{"D11", "a process that does not read: killed", []string{"TestProcessThatDoesNotReadIsKilled"}},
	{"D12", "a write to the dead harms nobody", []string{"TestStepForAProcessThatHasDiedIsGivenBack", "TestProcessThatClosesItsRequestsIsKilled"}},
	{"D13", "a host that lies forges nothing", []string{
		"TestWhatBreaksTheProtocolForgesNothing", "TestAnswerAfterTheGraceOfACancelIsTooLate", "TestTooManyRepeatedAnswersEndTheProcess",
		"TestProcessThatBreaksTheProtocolTooOftenIsKilled", "TestAcquireGivesNoMoreThanTheCreditInOrder", "TestCreditIsWhatTheProcessSaysLast",
	}},
	{"D14", "no boot: deadline, backoff, visible, uncounted", []string{
		"TestStartFailsWhenNothingCanBeServed", "TestStepsWaitWhileEveryBootCrashes", "TestBackoffCountsFailuresInARow",
		"TestCrashLoopOpensTheCircuitAndStepsWaitUntilItCloses", "TestRealHostsReportHandlersAndWhatFailedToLoad",
		"TestStartServesTheRestWhenALanguageIsMissing", "../cmd/tasker-worker.TestHealthIsDownWhileALanguageIs", "../queue.TestStepWaitsForItsHandlerProcess",
	}},
	{"D15", "changed surroundings do not reach later steps", []string{
		"TestWhatAHandlerDoesToItsProcessIsNotSeenByTheNextStep", "conformance.TestHosts/I4", "conformance.TestHosts/I5",
	}},
	{"D16", "leaks end with a recycled process", []string{
		"TestRealHostsThatLeakMemoryAreReplaced", "TestRealHostsThatLeakConnectionsAreReplacedWithAllThatTheyHeld",
		"TestProcessIsReplacedForAReason", "TestRecycledProcessIsReplacedWithoutAGap",
	}},
	{"D17", "results without a JSON form fail, answered", []string{
		"conformance.TestHosts/E7", "conformance.TestHosts/E11", "conformance.TestHosts/E23", "TestRealHostsRunHandlers",
		"TestExecuteTurnsAnswersIntoOutcomes",
	}},
	{"D18", "a terminal's SIGINT ends no process", []string{"TestInterruptOfTheTerminalEndsNoHandlerProcess", "conformance.TestHosts/S6"}},
	{"D19", "a Go thread's end kills no process", []string{
		"internal/process.TestProcessOutlivesTheThreadOfItsCaller", "TestHandlerProcessesDieWithTheWorker",
	}},
	{"D20", "process 1 of a container reaps orphans", []string{
		"TestWorkerThatIsProcessOneReapsOrphans", "internal/process.TestOrphansAreReaped", "../e2e.TestWorkerMayBeProcessOne",
	}},
}

func TestCatalogueNamesTestsThatExist(t *testing.T) {
	t.Parallel()
	known := make(map[string]map[string]bool)
	for i, row := range catalogue {
		if want := fmt.Sprint("D", i+1); row.id != want || row.demand == "" || len(row.tests) == 0 {
			t.Errorf("row %d is %q with %d tests, want %s and at least one", i+1, row.id, len(row.tests), want)
		}
		for _, name := range row.tests {
			folder, test, ok := cutLast(name, ".")
			if !ok {
				folder, test = ".", name
			}
			if known[folder] == nil {
				known[folder] = declared(t, folder)
			}
			for part := range strings.SplitSeq(test, "/") {
				if !known[folder][part] {
					t.Errorf("%s: there is no %s in %s", row.id, part, folder)
				}
			}
		}
	}
	if len(catalogue) != 20 {
		t.Errorf("the catalogue has %d rows, want 20", len(catalogue))
	}
}

func cutLast(s, separator string) (before, after string, found bool) {
	i := strings.LastIndex(s, separator)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(separator):], true
}

// declared are the tests of a folder, and the ids with which the names of its rules begin.
func declared(t *testing.T, folder string) map[string]bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no Go files in %s: %v", folder, err)
	}
	ids := regexp.MustCompile(`^"((?:[A-Z]\d+ )+)`)
	names := make(map[string]bool)
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				names[n.Name.Name] = strings.HasSuffix(file, "_test.go") && strings.HasPrefix(n.Name.Name, "Test")
			case *ast.BasicLit:
				if found := ids.FindStringSubmatch(n.Value); found != nil {
					for id := range strings.FieldsSeq(found[1]) {
						names[id] = true
					}
				}
			}
			return true
		})
	}
	return names
}
