package responsehub

// Delivery is one arrival of an alert, verified to come from its source.
type Delivery struct {
	Source   string // name of the source in the configuration
	ID       string // the sender's id of this message (webhook-id); empty where it gives none
	BodyHash string // hex SHA-256 of the body as it came in
}
