package engine

import "time"

// Limits of the delay before a retry.
const (
	// BackoffMax is the longest delay of the engine's own rule, 2^attempts seconds.
	BackoffMax = 30 * time.Second
	// RetryAfterMax is the longest delay that a handler can request, the engine's max_backoff_seconds.
	RetryAfterMax = 300 * time.Second
)

// RetryLimitDefault is the number of attempts of a step whose row has no limit.
const RetryLimitDefault = 3

// Backoff is the delay after the attempts-th attempt has failed, by the rule of the engine's readiness functions.
func Backoff(attempts int) time.Duration {
	if attempts >= 5 {
		return BackoffMax
	}
	return time.Second << max(attempts, 0)
}
