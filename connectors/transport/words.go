package transport

import (
	"fmt"
	"time"
)

// busyWords is shown when the hub holds back by itself.
func busyWords(who string, wait time.Duration) string {
	return fmt.Sprintf("%s asks the hub to slow down. It goes on by itself in %s.", who, max(time.Second, wait.Round(time.Second)))
}
