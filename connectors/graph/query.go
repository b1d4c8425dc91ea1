package graph

import (
	"context"
	"errors"
	"iter"
	"net/url"
	"reflect"
	"strings"
	"time"

	"responsehub"
)

// quote makes an OData string literal: quotes are doubled, and that is all there is to
// it. https://docs.oasis-open.org/odata/odata/v4.01/odata-v4.01-part2-url-conventions.html
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// byMessageID matches a message id, which Outlook keeps with its angle brackets;
// detectors leave them out at times.
func byMessageID(id string) string {
	return "internetMessageId eq " + quote("<"+strings.Trim(id, "<> \r\n\t")+">")
}

// bySender matches sender and subject within the window, never the sender alone: that
// would take the victim's honest mail away.
func bySender(p responsehub.Phish) string {
	var f []string
	if !p.ReceivedAfter.IsZero() {
		f = append(f, "receivedDateTime ge "+stamp(p.ReceivedAfter))
	}
	if !p.ReceivedBefore.IsZero() {
		// Times are kept in whole seconds at Outlook.
		f = append(f, "receivedDateTime le "+stamp(p.ReceivedBefore.Add(time.Second-1)))
	}
	f = append(f, "from/emailAddress/address eq "+quote(p.Sender), "subject eq "+quote(p.Subject))
	return strings.Join(f, " and ")
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

func sameMessageID(a, b string) bool {
	return strings.EqualFold(strings.Trim(a, "<> \r\n\t"), strings.Trim(b, "<> \r\n\t"))
}

// maxPages ends a list that does not end by itself; a tenant of two million users has
// two thousand pages.
const maxPages = 5000

var (
	errLoop    = errors.New("the list repeats a page")
	errEndless = errors.New("the list does not end")
	errEmpty   = errors.New("the answer is empty")
)

// pages reads a list page by page. get is called with "" first and then with the link
// to the next page, which must lie within Graph's own address.
func pages[T any](ctx context.Context, c *Client, k call, get func(ctx context.Context, next string) ([]T, *string, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		next, seen := "", map[string]bool{}
		for range maxPages {
			var items []T
			var link *string
			_, err := c.do(ctx, k, func(ctx context.Context) (err error) {
				items, link, err = get(ctx, next)
				return err
			})
			if err != nil {
				yield(none, err)
				return
			}
			for _, item := range items {
				if !yield(item, nil) {
					return
				}
			}
			if deref(link) == "" {
				return
			}
			next = *link
			if err := c.follow(next, seen); err != nil {
				yield(none, astray(k, err))
				return
			}
		}
		yield(none, &responsehub.Error{Kind: responsehub.Permanent, Message: words(BadRequest, k), Err: &Fault{Class: BadRequest, Op: k.op, Err: errEndless}})
	}
}

// astray is the error for a link that must not be followed.
func astray(k call, err error) error {
	return &responsehub.Error{Kind: responsehub.Unavailable, Message: words(Transient, k), Err: &Fault{Class: Transient, Op: k.op, Err: err}}
}

// follow checks a link to the next page.
func (c *Client) follow(link string, seen map[string]bool) error {
	u, err := url.Parse(link)
	if err != nil || !c.pinned(u) {
		return errors.New("the link to the next page leads elsewhere")
	}
	if seen[link] {
		return errLoop
	}
	seen[link] = true
	return nil
}

// pinned reports whether an address is within Graph's own.
func (c *Client) pinned(u *url.URL) bool {
	return u.Scheme == c.base.Scheme && strings.EqualFold(u.Host, c.base.Host) && u.User == nil &&
		strings.HasPrefix(u.Path, c.base.Path+"/") && !strings.Contains(u.Path, "/../")
}

// present turns the SDK's nil result without an error, which stands for an answer
// without a body, into an error.
func present(v any, err error) error {
	if err == nil && isNil(v) {
		return errEmpty
	}
	return err
}

func deref[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

// isNil reports whether an interface holds nothing, or a nil pointer.
func isNil(v any) bool {
	if v == nil {
		return true
	}
	r := reflect.ValueOf(v)
	return r.Kind() == reflect.Pointer && r.IsNil()
}
