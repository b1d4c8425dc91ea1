package webhook

// What people read of a delivery that failed.
const (
	notHTTPS  = "The address is not one of https."
	noAnswer  = "It did not answer."
	answered  = "It answered %d."
	notPublic = "The name leads to %s, which is no public address: the hub does not connect to it."
)
