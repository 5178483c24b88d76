package engine

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

// Classify returns the category of a failure. It reads the structure of the failure: the class and its superclasses, the
// code, the HTTP status that the handler named, and the class of the cause. It never reads the message, in which "rate" is a part of "generate".
func Classify(f *Failure) ErrorCategory {
	if category, ok := categoryByClass[f.Class]; ok {
		return category
	}
	if f.Class == ClassExecutorCrashed {
		return crashCategory(f.Details)
	}
	if category, ok := categoryByCode[f.Code]; ok {
		return category
	}
	if status, ok := httpStatus(f); ok {
		return statusCategory(status, f.Permanent)
	}
	for _, class := range append(slices.Clone(f.Ancestors), f.CauseClass) {
		if category, ok := categoryByClass[class]; ok {
			return category
		}
	}
	switch {
	case f.Permanent:
		return CategoryPermanent
	case f.Class == "" && f.Code == "":
		return CategoryUnknown
	default:
		return CategoryTransient
	}
}

// errorCode is the code that is recorded of a failure: the handler's own, or that of the category.
func errorCode(f *Failure, category ErrorCategory) string {
	if f.Code != "" {
		return clip(f.Code, backtraceLineMax)
	}
	return category.Info().Code
}

// crashCategory reads the details of [ClassExecutorCrashed], which say whether the system was out of memory.
func crashCategory(details json.RawMessage) ErrorCategory {
	var exit struct {
		OutOfMemory bool `json:"oom"`
	}
	if json.Unmarshal(details, &exit) == nil && exit.OutOfMemory {
		return CategoryResourceExhaustion
	}
	return CategoryTransient
}

// httpStatus is the status that an API answered with: in a code such as HTTP_404, or in the details, where the API
// handler of the Ruby host puts it.
func httpStatus(f *Failure) (int, bool) {
	if text, ok := strings.CutPrefix(f.Code, "HTTP_"); ok {
		status, err := strconv.Atoi(text)
		return status, err == nil && status >= 400 && status <= 599
	}
	var details struct {
		Status float64 `json:"response_status"`
	}
	if json.Unmarshal(f.Details, &details) != nil {
		return 0, false
	}
	return int(details.Status), details.Status >= 400 && details.Status <= 599
}

func statusCategory(status int, permanent bool) ErrorCategory {
	switch status {
	case 401, 403, 407, 511:
		return CategoryConfiguration
	case 408, 504:
		return CategoryTimeout
	case 409, 412, 423, 425:
		return CategoryStateInconsistency
	case 429:
		return CategoryRateLimit
	case 507:
		return CategoryResourceExhaustion
	}
	switch {
	case permanent:
		return CategoryPermanent
	case status >= 500:
		return CategoryDependencyFailure
	default:
		return CategoryTransient
	}
}
