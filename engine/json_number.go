package engine

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Faults of numbers. A number must be readable as a finite double, and as zero only if it is zero.
const (
	faultTooLarge = "is a number beyond ±1.8e308, which not every language can read"
	faultTooSmall = "is a number closer to zero than 4.9e-324, which not every language can read"
)

func numberEnd(data []byte, i int) int {
	for i < len(data) && strings.IndexByte("+-.eE0123456789", data[i]) >= 0 {
		i++
	}
	return i
}

// checkNumber returns the size in bytes of a number in the notation of jsonb, which has no exponents.
func checkNumber(number []byte) (stored int, fault string) {
	e := bytes.IndexAny(number, "eE")
	if e < 0 && len(number) <= JSONDigitsMax/2 {
		return len(number), ""
	}
	mantissa, exponent := number, 0
	if e >= 0 {
		var err error
		mantissa = number[:e]
		exponent, err = strconv.Atoi(string(number[e+1:]))
		if err != nil || exponent > math.MaxInt16 || exponent < -math.MaxInt16 {
			return 0, faultBeyond(number, number[e+1] == '-')
		}
	}
	unsigned := bytes.TrimPrefix(mantissa, []byte("-"))
	whole, fraction, _ := bytes.Cut(unsigned, []byte("."))
	digits := bytes.TrimLeft(append(bytes.Clone(whole), fraction...), "0")
	integers := max(1, len(digits)-len(fraction)+exponent)
	if len(digits) == 0 {
		integers = 1
	}
	decimals := max(0, len(fraction)-exponent)
	if fault := checkRange(number, len(digits) == 0); fault != "" {
		return 0, fault
	}
	if n := integers + decimals; n > JSONDigitsMax {
		return 0, fmt.Sprintf("is a number of %d digits, more than the %d allowed", n, JSONDigitsMax)
	}
	stored = len(mantissa) - len(unsigned) + integers + decimals
	if decimals > 0 {
		stored++
	}
	return stored, ""
}

// checkRange returns the fault of a number that a double cannot hold.
func checkRange(number []byte, zero bool) string {
	value, err := strconv.ParseFloat(string(number), 64)
	switch {
	case zero:
		return ""
	case err != nil:
		return faultTooLarge
	case value == 0:
		return faultTooSmall
	default:
		return ""
	}
}

func faultBeyond(number []byte, small bool) string {
	switch {
	case len(bytes.Trim(number[:bytes.IndexAny(number, "eE")], "-0.")) == 0:
		return "is a zero with an exponent that PostgreSQL cannot store"
	case small:
		return faultTooSmall
	default:
		return faultTooLarge
	}
}
