package twilio

import (
	"fmt"
	"time"
)

// What the connector says by itself on a call. Everything else comes from the
// switchboard.
const (
	oneMoment = "One moment, please."
	trouble   = "This is the security desk. There is an alert, but its details cannot be read at the moment. Please look at Teams or at your mail. Goodbye."
	notTaken  = "Your key could not be stored at the moment. You will be called again. Goodbye."
	goodbye   = "Goodbye."
)

// queued says why a call or text has not left yet.
func queued(what string, ahead int, waited time.Duration) string {
	return fmt.Sprintf("The %s waits for its turn, %d before it, for %d s so far: the sender may make only so many each second.", what, ahead, int(waited/time.Second))
}
