package templates

import (
	"slices"
	"strings"
)

// RetryPolicy says when, and after which errors, a failed step is retried. The defaults of the YAML are filled in.
type RetryPolicy struct {
	// Policy is the rule of the delay: RetryNone, RetryFixed, RetryLinear or RetryExponential, and empty for the engine's
	// rule.
	Policy string `json:"policy,omitempty"`
	// BaseSeconds is the delay after the first attempt, MaxSeconds the longest one, both before the jitter.
	BaseSeconds int `json:"base_seconds,omitempty"`
	MaxSeconds  int `json:"max_seconds,omitempty"`
	// Jitter is what is random of the delay: JitterFull, JitterEqual or JitterNone.
	Jitter string `json:"jitter,omitempty"`
	// On holds the only error classes that are retried, unless it is empty. Those of NeverOn are not.
	On      []string `json:"on,omitempty"`
	NeverOn []string `json:"never_on,omitempty"`
}

// The policies.
const (
	// RetryNone never retries.
	RetryNone = "none"
	// RetryFixed waits base_seconds.
	RetryFixed = "fixed"
	// RetryLinear waits base_seconds times the number of attempts made.
	RetryLinear = "linear"
	// RetryExponential waits base_seconds, and twice as long after each further attempt.
	RetryExponential = "exponential"
)

// The kinds of jitter.
const (
	// JitterFull draws the delay between nothing and its whole length.
	JitterFull = "full"
	// JitterEqual draws the delay between its half and its whole length.
	JitterEqual = "equal"
	// JitterNone leaves the delay as it is.
	JitterNone = "none"
)

// Defaults and bounds of a retry policy.
const (
	retryBaseDefault = 1
	retryMaxDefault  = 300
	retrySecondsMax  = 86_400
	errorClassMax    = 255
)

// retryFields are the keys of a retry policy.
func retryFields() []field {
	return []field{
		{name: "policy", want: choiceValue, choices: []string{RetryNone, RetryFixed, RetryLinear, RetryExponential}},
		{name: "base_seconds", want: countValue, most: retrySecondsMax},
		{name: "max_seconds", want: countValue, most: retrySecondsMax},
		{name: "jitter", want: choiceValue, choices: []string{JitterFull, JitterEqual, JitterNone}},
		{name: "on", want: textsValue, max: errorClassMax, valid: validName},
		{name: "never_on", want: textsValue, max: errorClassMax, valid: validName},
	}
}

func (r *diagnostics) checkRetry(n *node, path string) {
	if n.kind != kindMapping {
		r.fault(n.at(path), meansRetry, "%s must be a mapping, is %s", path, n.kind.describe())
		return
	}
	r.checkObject(n, path, retryFields(), retryObject)
}

func (r *diagnostics) checkChoice(n *node, path string, f field) {
	if r.want(n, path, kindString, "a string") && !slices.Contains(f.choices, n.text) {
		r.fault(n.at(path), r.didYouMean(n.text, f.choices), "%s must be one of %s, is %q", path, strings.Join(f.choices, ", "), n.text)
	}
}

// buildRetry reads a retry policy and reports values that contradict each other. It returns nil for an empty one, which is
// the engine's rule.
func (r *diagnostics) buildRetry(n *node, path string) *RetryPolicy {
	p := &RetryPolicy{Policy: n.str("policy", ""), On: texts(n.list("on")), NeverOn: texts(n.list("never_on"))}
	if p.Policy == "" || p.Policy == RetryNone {
		r.checkNoDelay(n, path, p.Policy)
	} else {
		p.BaseSeconds, p.Jitter = n.count("base_seconds", retryBaseDefault), n.str("jitter", JitterNone)
		p.MaxSeconds = n.count("max_seconds", retryMaxDefault)
		r.checkDelays(n, path, p)
	}
	r.checkClasses(n, path, p)
	if p.Policy == "" && p.On == nil && p.NeverOn == nil {
		return nil
	}
	return p
}

// checkNoDelay reports keys that set a delay in a policy that has none of its own.
func (r *diagnostics) checkNoDelay(n *node, path, policy string) {
	for _, key := range []string{"base_seconds", "max_seconds", "jitter"} {
		value := n.get(key)
		if value == nil {
			continue
		}
		where, hint := value.at(path+"."+key), "write policy: fixed, linear or exponential"
		if policy == RetryNone {
			r.fault(where, hint, "%s has no effect: policy none never retries", where.path)
		} else {
			r.fault(where, hint, "%s has no effect without a policy", where.path)
		}
	}
}

func (r *diagnostics) checkDelays(n *node, path string, p *RetryPolicy) {
	if p.BaseSeconds <= p.MaxSeconds {
		return
	}
	key := "max_seconds"
	if n.get(key) == nil {
		key = "base_seconds"
	}
	r.fault(n.get(key).at(path+"."+key), "max_seconds is 300 unless it is given",
		"%s: base_seconds is %d, more than max_seconds, %d", path, p.BaseSeconds, p.MaxSeconds)
}

// checkClasses reports classes that contradict the rest of the policy.
func (r *diagnostics) checkClasses(n *node, path string, p *RetryPolicy) {
	for i, class := range n.list("never_on") {
		if slices.Contains(p.On, class.text) {
			r.fault(class.at(index(path+".never_on", i)), "", "%s is in both on and never_on", class.text)
		}
	}
	for _, key := range []string{"on", "never_on"} {
		if p.Policy == RetryNone && n.get(key) != nil {
			r.fault(n.get(key).at(path+"."+key), "", "%s.%s has no effect: policy none never retries", path, key)
		}
	}
}

func texts(items []*node) []string {
	var all []string
	for _, item := range items {
		all = append(all, item.text)
	}
	return all
}
