package engine

// ErrorCategory groups failures by what an operator does about them.
type ErrorCategory string

// The error categories.
const (
	CategoryPermanent          ErrorCategory = "permanent"
	CategoryTransient          ErrorCategory = "transient"
	CategoryTimeout            ErrorCategory = "timeout"
	CategoryRateLimit          ErrorCategory = "rate_limit"
	CategoryNetwork            ErrorCategory = "network"
	CategoryConfiguration      ErrorCategory = "configuration"
	CategoryResourceExhaustion ErrorCategory = "resource_exhaustion"
	CategoryDependencyFailure  ErrorCategory = "dependency_failure"
	CategoryStateInconsistency ErrorCategory = "state_inconsistency"
	CategoryUnknown            ErrorCategory = "unknown"
)

// ErrorCategoryInfo describes an error category.
type ErrorCategoryInfo struct {
	Category ErrorCategory
	// Code is recorded for failures for which the handler names no code of its own.
	Code string
	// Retryable is true if a retry without a change may succeed. Whether a failure is retried is not decided by it: that
	// follows from the failure, the retry limit and the retry policy of its step.
	Retryable bool
	// Meaning says which failures belong to the category, Remedy what to do about them.
	Meaning, Remedy string
}

// ErrorCategories returns all categories.
func ErrorCategories() []ErrorCategoryInfo {
	return []ErrorCategoryInfo{
		{
			CategoryPermanent, "PERMANENT_FAILURE", false,
			"the handler refused for good, or its result or arguments cannot be used",
			"correct the data or the handler, then retry the step, or resolve it by hand",
		},
		{
			CategoryTransient, "STEP_EXECUTION_FAILED", true,
			"an exception of the handler that belongs to no other category, or a lost worker",
			"read the message and the backtrace; if the retries do not help, correct the handler",
		},
		{
			CategoryTimeout, "EXECUTION_TIMEOUT", true,
			"the attempt, or a call that it waited for, took too long",
			"look for slow calls in the handler, or raise timeout_seconds of the step",
		},
		{
			CategoryRateLimit, "RATE_LIMITED", true,
			"a service allows no more calls for now",
			"run fewer steps at once, retry at a lower rate (--rate), or set a longer retry policy",
		},
		{
			CategoryNetwork, "NETWORK_ERROR", true,
			"a host was not found or not reached, or a connection broke",
			"check that the service runs, and the name resolution and network between it and the worker",
		},
		{
			CategoryConfiguration, "CONFIGURATION_ERROR", false,
			"credentials, permissions, code or programs are missing or wrong",
			"correct the credentials, permissions, dependencies or settings of the worker, then retry",
		},
		{
			CategoryResourceExhaustion, "RESOURCE_EXHAUSTED", true,
			"memory, disk, file descriptors or connections ran out",
			"free or add the resource, or run fewer steps at once",
		},
		{
			CategoryDependencyFailure, "DEPENDENCY_FAILED", true,
			"a service that the handler called failed itself",
			"check the service that was called; retry when it is well again",
		},
		{
			CategoryStateInconsistency, "STATE_CONFLICT", true,
			"a concurrent change, a deadlock, or a handler process that violated the protocol",
			"retry; if it fails again, look for what writes the same rows or objects",
		},
		{
			CategoryUnknown, "UNKNOWN_ERROR", true,
			"a failure without class and code, or recorded by another program",
			"read the message; let the handler raise an error with a class of its own",
		},
	}
}

// Info returns the description of the category. A category that does not exist has that of [CategoryUnknown].
func (c ErrorCategory) Info() ErrorCategoryInfo {
	all := ErrorCategories()
	for _, info := range all {
		if info.Category == c {
			return info
		}
	}
	return all[len(all)-1]
}
