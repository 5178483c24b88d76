package templates

import "strings"

// Where the keys that other systems use for dependencies, attempts and time limits belong in a template.
const (
	meansCommand   = `write handler_config: {command: ["program", "argument"]}`
	meansCondition = "a step has no condition: it runs once its parents are complete; let its handler decide, or cancel the steps behind it"
	meansHeartbeat = "write handler_config: {heartbeat_timeout_seconds: 10} in the step"
	meansLimit     = "write default_retry_limit in the step: the number of attempts, the first one among them"
	meansParents   = "write depends_on_steps in the step that comes later, with the names of the steps that come first"
	meansPause     = "the wait between attempts doubles from 2 to 30 seconds; retry: {policy: fixed, base_seconds: 5} sets another"
	meansRetry     = "write retry: {policy: fixed, base_seconds: 5}; the number of attempts is default_retry_limit"
	meansRepeat    = "a template does not repeat a step; let a handler add steps to its task (step.spawn)"
	meansSteps     = "the steps stand under step_templates"
	meansTimeout   = "write handler_config: {timeout_seconds: 30} in the step; it bounds one attempt"
)

// foreignKeys are the words by which other systems say what a template says otherwise. An author who writes one means it, and
// without effect it would be lost in silence: parallel steps that wait for each other, a step that runs without end.
var foreignKeys = map[string]string{ //nolint:gochecknoglobals // a constant table
	"after": meansParents, "afterstep": meansParents, "aftersteps": meansParents, "before": meansParents,
	"dependencies": meansParents, "dependency": meansParents, "dependent": meansParents, "depends": meansParents,
	"dependson": meansParents, "downstream": meansParents, "edges": meansParents, "follows": meansParents,
	"need": meansParents, "needs": meansParents, "next": meansParents, "nextstep": meansParents, "onsuccess": meansParents,
	"parent": meansParents, "parents": meansParents, "predecessor": meansParents, "predecessors": meansParents,
	"prerequisite": meansParents, "prerequisites": meansParents, "require": meansParents, "requires": meansParents,
	"runafter": meansParents, "runsafter": meansParents, "successors": meansParents, "then": meansParents,
	"upstream": meansParents, "waitfor": meansParents, "waitsfor": meansParents, "waiton": meansParents,

	"attempts": meansLimit, "maxattempts": meansLimit, "maxretries": meansLimit, "maxretry": meansLimit,
	"maximumattempts": meansLimit, "maximumretries": meansLimit, "numretries": meansLimit, "retries": meansLimit,
	"retrycount": meansLimit, "retrypolicy": meansRetry, "retryon": meansRetry,
	"retrystrategy": meansRetry, "retrylimit": meansLimit, "retrymax": meansLimit, "tries": meansLimit,

	"backoff": meansPause, "backofflimit": meansLimit, "backoffseconds": meansPause, "retrybackoff": meansPause,
	"retrydelay": meansPause, "retrydelayseconds": meansPause, "retryinterval": meansPause, "retryafter": meansPause,

	"activedeadlineseconds": meansTimeout, "deadline": meansTimeout, "executiontimeout": meansTimeout,
	"maxduration": meansTimeout, "maxruntime": meansTimeout, "responsetimeoutseconds": meansTimeout,
	"scheduletoclosetimeout": meansTimeout, "starttoclosetimeout": meansTimeout, "steptimeout": meansTimeout,
	"timelimit": meansTimeout, "timeout": meansTimeout, "timeoutinminutes": meansTimeout, "timeoutminutes": meansTimeout,
	"timeoutms": meansTimeout, "timeouts": meansTimeout, "timeoutsec": meansTimeout, "timeoutsecs": meansTimeout,
	"timeoutseconds": meansTimeout, "ttl": meansTimeout,

	"heartbeat": meansHeartbeat, "heartbeatseconds": meansHeartbeat, "heartbeattimeout": meansHeartbeat,
	"heartbeattimeoutseconds": meansHeartbeat,

	"condition": meansCondition, "conditions": meansCondition, "if": meansCondition, "onlyif": meansCondition,
	"skipif": meansCondition, "triggerrule": meansCondition, "unless": meansCondition, "when": meansCondition,

	"foreach": meansRepeat, "loop": meansRepeat, "matrix": meansRepeat, "repeat": meansRepeat, "withitems": meansRepeat,

	"cmd": meansCommand, "command": meansCommand,
}

// foreignTemplateKeys are those of a template that only stand for its steps.
var foreignTemplateKeys = map[string]string{ //nolint:gochecknoglobals // a constant table
	"activities": meansSteps, "jobs": meansSteps, "nodes": meansSteps, "stages": meansSteps, "states": meansSteps,
	"steps": meansSteps, "tasks": meansSteps,
}

// belongsElsewhere says where what an unknown key means is written, and reports false when the key means nothing to us.
// Letter case, dashes and underscores do not count: dependsOn and depends-on are the same word.
func belongsElsewhere(key string, of objectKind) (string, bool) {
	if of == eventObject {
		return "", false
	}
	plain := strings.NewReplacer("_", "", "-", "", " ", "", ".", "").Replace(strings.ToLower(key))
	if hint, ok := foreignKeys[plain]; ok {
		return hint, true
	}
	if of != templateObject {
		return "", false
	}
	hint, ok := foreignTemplateKeys[plain]
	return hint, ok
}

// stepKeyIn returns the key of a step that an unknown key of a template is: it would do nothing there.
func stepKeyIn(key string, of objectKind) (string, bool) {
	if of != templateObject {
		return "", false
	}
	for _, name := range fieldNames(stepFields()) {
		if name == key {
			return name, true
		}
	}
	return nearKey(key, fieldNames(stepFields()))
}
