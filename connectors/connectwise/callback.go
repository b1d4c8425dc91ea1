package connectwise

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"responsehub"
	"responsehub/connectors/transport"
)

// recordID ends our address: ConnectWise appends the record's id and the action as text.
const recordID = "recordId="

func callbackURL(address string) string {
	if strings.Contains(address, "?") {
		return address + "&" + recordID
	}
	return address + "?" + recordID
}

// ours reports whether a callback goes to the hub, whatever its token.
func ours(entry, address string) bool {
	a, err := url.Parse(entry)
	if err != nil {
		return false
	}
	b, err := url.Parse(address)
	return err == nil && a.Host == b.Host && a.Path == b.Path
}

func (d *Desk) callbacks(ctx context.Context) ([]callback, error) {
	return pages[callback](ctx, d, "read its callbacks", "/system/callbacks", url.Values{}, 5000)
}

// Listen sets up the callback for the connection's board. One that is there and active
// stays; one that was switched off (after three days of failures) or has another address
// is replaced.
func (d *Desk) Listen(ctx context.Context, address string) (string, error) {
	board, err := d.board(ctx)
	if err != nil {
		return "", err
	}
	all, err := d.callbacks(ctx)
	if err != nil {
		return "", err
	}
	want, replaced := callbackURL(address), 0
	for _, c := range all {
		switch {
		case !ours(c.URL, address):
		case c.URL == want && !c.Inactive && c.ObjectID == board && c.Level == "board":
			return "The callback is there and active.", nil
		default:
			if err := d.call(ctx, "remove an old callback", http.MethodDelete, fmt.Sprintf("/system/callbacks/%d", c.ID), nil, nil, nil); err != nil && responsehub.KindOf(err) != responsehub.NotFound {
				return "", err
			}
			replaced++
		}
	}
	entry := callback{Description: "responsehub", URL: want, ObjectID: board, Type: "ticket", Level: "board", Payload: "3.0.0"}
	err = d.call(ctx, "set up its callback", http.MethodPost, "/system/callbacks", nil, entry, nil)
	if e, ok := errors.AsType[*transport.Error](err); ok && complaint(e.Body).has("ObjectExists") {
		return "The callback is there.", nil
	}
	if err != nil {
		return "", err
	}
	if replaced > 0 {
		return "The callback was switched off or pointed elsewhere and was set up again.", nil
	}
	return "The callback was set up.", nil
}
