package wire

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"strconv"

	"github.com/tasker-systems/tasker-worker/engine"
)

// ID is the id of a request of ours, spelled w12-0123456789abcdef. Only who got the request can answer it: Number counts the requests
// of a process, and Secret cannot be guessed.
type ID struct{ Number, Secret uint64 }

// secretDigits is how many digits the secret of an id has, hexadecimal, with the zeros in front.
const secretDigits = 16

// NewID is the id of the request with this number.
func NewID(number uint64) ID {
	var random [8]byte
	_, _ = rand.Read(random[:]) // never fails: crypto/rand ends the program instead
	return ID{Number: number, Secret: binary.BigEndian.Uint64(random[:])}
}

// append appends the id as it is spelled, without quotes.
func (id ID) append(dst []byte) []byte {
	var secret [8]byte
	binary.BigEndian.PutUint64(secret[:], id.Secret)
	dst = strconv.AppendUint(append(dst, 'w'), id.Number, 10)
	return hex.AppendEncode(append(dst, '-'), secret[:])
}

// ownID reads an id of ours. Nothing else is one, however near.
func ownID(text []byte) (ID, bool) {
	number, secret, found := bytes.Cut(text, []byte("-"))
	if !found || len(number) < 2 || len(number) > 20 || number[0] != 'w' || number[1] == '0' || len(secret) != secretDigits {
		return ID{}, false
	}
	n, err := strconv.ParseUint(string(number[1:]), 10, 64)
	var decoded [8]byte
	if _, hexErr := hex.Decode(decoded[:], secret); err != nil || hexErr != nil || bytes.ContainsAny(secret, "ABCDEF") {
		return ID{}, false
	}
	return ID{Number: n, Secret: binary.BigEndian.Uint64(decoded[:])}, true
}

// NewExecutionID names one execution: the step and the attempt, for people, and what cannot be guessed.
func NewExecutionID(a *engine.Attempt) string {
	var random [16]byte
	_, _ = rand.Read(random[:]) // see NewID
	buf := make([]byte, 0, 64)
	buf = append(strconv.AppendInt(buf, a.Step.ID, 10), '-')
	buf = append(strconv.AppendInt(buf, int64(a.Step.Attempt), 10), '-')
	return string(hex.AppendEncode(buf, random[:]))
}
