package ticket

import (
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"responsehub"
)

func TestChecks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c Checks
		c.Failed("refused", &responsehub.Error{Kind: responsehub.Forbidden, Message: "The role lacks a right."})
		c.Failed("silent", errors.New("no answer"))
		date := func(ahead time.Duration) http.Header {
			return http.Header{"Date": {time.Now().Add(ahead).UTC().Format(http.TimeFormat)}}
		}
		c.Clock("ConnectWise", date(time.Minute))
		c.Clock("ConnectWise", date(-3*time.Minute))
		c.Clock("ConnectWise", http.Header{})
		var got [][2]string
		for _, check := range c.All {
			got = append(got, [2]string{check.Name, string(check.Grade)})
		}
		want := [][2]string{{"refused", "missing"}, {"silent", "unknown"}, {"clock", "ok"}, {"clock", "warning"}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}
