package responsehub

import "time"

// SignIn is a person's sign-in to a tenant, which the hub keeps for what Microsoft lets no
// app do by itself: to write a password back to on-premises AD. Box holds the refresh
// token, sealed; it is in no log, answer or export.
type SignIn struct {
	V      int       `json:"v"`
	Tenant string    `json:"tenant"` // Microsoft tenant id
	Who    string    `json:"who"`    // principal name of the person who signed in
	At     time.Time `json:"at"`     // when
	Used   time.Time `json:"used"`   // when it was last good
	Box    []byte    `json:"box"`
}

// DeviceCode is what a person needs to sign in on another device: an address, and the
// code to type in there.
type DeviceCode struct {
	Address string    `json:"address"`
	Code    string    `json:"code"`
	Expires time.Time `json:"expires"`
}
