package process

// cookieFile is the file of a scratch folder that holds the cookie of its owner.
const cookieFile = "cookie"

// charge is what a guardian has to end, as its standard input says.
type charge struct {
	// Cookie is that of the Starter.
	Cookie uint64 `json:"cookie"`
	// Session is the worker's, in which nothing is killed: handler processes lead sessions of their own, and cannot come back.
	Session int `json:"session"`
	// Scratch is the folder of the worker, which goes with it.
	Scratch string `json:"scratch"`
}
