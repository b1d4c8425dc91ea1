package graph

import (
	"context"
	"slices"
	"strings"
	"time"

	abs "github.com/microsoft/kiota-abstractions-go"
	"github.com/microsoftgraph/msgraph-sdk-go/models"
	"github.com/microsoftgraph/msgraph-sdk-go/users"

	"responsehub"
	"responsehub/remediation/steps"
)

var (
	readsMail = []string{"Mail.ReadWrite", "Mail.Read"}
	movesMail = []string{"Mail.ReadWrite"}
)

// immutable asks for ids that survive moves. It must be on every request that reads or
// takes a message's id. https://learn.microsoft.com/en-us/graph/outlook-immutable-id
func immutable() *abs.RequestHeaders {
	h := abs.NewRequestHeaders()
	h.Add("Prefer", `IdType="ImmutableId"`)
	return h
}

var listsUsers = []string{"User.Read.All", "User.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"}

// MailboxPage lists a page of the users with a mail address, disabled and unlicensed ones
// included: shared mailboxes are such. Guests are left out, their mail is elsewhere. page
// is the link that Graph gave for it.
func (c *Client) MailboxPage(ctx context.Context, tenant, page string) ([]steps.Mailbox, string, error) {
	k := call{op: "list the tenant's mailboxes", tenant: tenant, lists: true, about: anAccount, needs: listsUsers}
	if page != "" {
		if err := c.follow(page, map[string]bool{}); err != nil {
			return nil, "", astray(k, err)
		}
	}
	cfg := &users.UsersRequestBuilderGetRequestConfiguration{QueryParameters: &users.UsersRequestBuilderGetQueryParameters{
		Select: []string{"id", "mail", "userPrincipalName", "userType"}, Top: new(int32(999)),
	}}
	var r models.UserCollectionResponseable
	_, err := c.do(ctx, k, func(ctx context.Context) (err error) {
		if page != "" {
			r, err = users.NewUsersRequestBuilder(page, c.adapter).Get(ctx, nil)
		} else {
			r, err = c.users().Get(ctx, cfg)
		}
		return present(r, err)
	})
	if err != nil {
		return nil, "", err
	}
	next := deref(r.GetOdataNextLink())
	if next != "" {
		if err := c.follow(next, map[string]bool{page: true}); err != nil {
			return nil, "", astray(k, err)
		}
	}
	return mailboxes(r.GetValue()), next, nil
}

// mailboxes are the users that may have one here.
func mailboxes(all []models.Userable) []steps.Mailbox {
	var boxes []steps.Mailbox
	for _, u := range all {
		if m := (steps.Mailbox{ID: deref(u.GetId()), Address: deref(u.GetMail())}); m.ID != "" && m.Address != "" && !guest(u) {
			boxes = append(boxes, m)
		}
	}
	return boxes
}

var letterFields = []string{"id", "internetMessageId", "parentFolderId", "from", "subject", "receivedDateTime", "isRead"}

// Find returns the messages of one mailbox that are the phish: those with its message
// id, and where sender and subject are known, those that have both within the window,
// since attackers send one by one with an id for each. It is one search; where a tenant
// refuses the two in one, two from then on.
func (c *Client) Find(ctx context.Context, tenant, mailbox string, p responsehub.Phish) ([]steps.Letter, error) {
	var filters []string
	if p.InternetMessageID != "" {
		filters = append(filters, byMessageID(p.InternetMessageID))
	}
	if p.Sender != "" && p.Subject != "" {
		filters = append(filters, bySender(p))
	}
	if len(filters) == 2 && !c.searchesApart(tenant) {
		found, err := c.search(ctx, tenant, mailbox, filters[0]+" or ("+filters[1]+")", p)
		if ClassOf(err) != BadRequest {
			return found, err
		}
		c.searchApart(tenant)
	}
	var found []steps.Letter
	for _, f := range filters {
		some, err := c.search(ctx, tenant, mailbox, f, p)
		if err != nil {
			return found, err
		}
		for _, l := range some {
			if !slices.ContainsFunc(found, func(f steps.Letter) bool { return f.ID == l.ID }) {
				found = append(found, l)
			}
		}
	}
	return found, nil
}

// searchesApart reports whether a tenant's mailboxes refuse two rules in one search, and
// searchApart notes it: Outlook finds some filters too complex and says so for each anew.
func (c *Client) searchesApart(tenant string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.apart[tenant]
}

func (c *Client) searchApart(tenant string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.apart[tenant] = true
}

// ruleOf says by what a message is the phish, "" when it is not. The service's word is
// not taken for it: a filter that is quietly ignored would hand us the whole mailbox to move.
func ruleOf(l *steps.Letter, p responsehub.Phish) responsehub.Rule {
	switch {
	case p.InternetMessageID != "" && sameMessageID(l.InternetMessageID, p.InternetMessageID):
		return responsehub.ByMessageID
	case p.Sender != "" && p.Subject != "" && strings.EqualFold(l.Sender, p.Sender) && sameSubject(l.Subject, p.Subject) && within(l.ReceivedAt, p):
		return responsehub.BySender
	}
	return ""
}

func sameSubject(a, b string) bool {
	return strings.EqualFold(strings.TrimSpace(a), strings.TrimSpace(b))
}

// within reports whether a time lies in the phish's window. Outlook keeps whole seconds.
func within(at time.Time, p responsehub.Phish) bool {
	return !at.Before(p.ReceivedAfter.Truncate(time.Second)) && (p.ReceivedBefore.IsZero() || !at.After(p.ReceivedBefore.Add(time.Second)))
}

// search runs one filter over all folders of a mailbox. There is no $orderby: together
// with these filters Outlook refuses it as too complex.
func (c *Client) search(ctx context.Context, tenant, mailbox, filter string, p responsehub.Phish) ([]steps.Letter, error) {
	k := call{op: "search the mailbox", tenant: tenant, mailbox: mailbox, bulk: true, about: aMailbox, needs: readsMail}
	first := &users.ItemMessagesRequestBuilderGetRequestConfiguration{Headers: immutable(), QueryParameters: &users.ItemMessagesRequestBuilderGetQueryParameters{
		Filter: &filter, Select: letterFields, Top: new(int32(50)),
	}}
	var found []steps.Letter
	for m, err := range pages(ctx, c, k, func(ctx context.Context, next string) ([]models.Messageable, *string, error) {
		b, cfg := c.user(mailbox).Messages(), first
		if next != "" {
			b = users.NewItemMessagesRequestBuilder(next, c.adapter)
			cfg = &users.ItemMessagesRequestBuilderGetRequestConfiguration{Headers: immutable()}
		}
		r, err := b.Get(ctx, cfg)
		if err := present(r, err); err != nil {
			return nil, nil, err
		}
		return r.GetValue(), r.GetOdataNextLink(), nil
	}) {
		if err != nil {
			return found, err
		}
		l := steps.Letter{
			ID: deref(m.GetId()), Mailbox: mailbox, InternetMessageID: deref(m.GetInternetMessageId()), Folder: deref(m.GetParentFolderId()),
			Sender: sender(m), Subject: deref(m.GetSubject()), ReceivedAt: deref(m.GetReceivedDateTime()), Read: deref(m.GetIsRead()),
		}
		if l.Rule = ruleOf(&l, p); l.ID != "" && l.Rule != "" {
			found = append(found, l)
		}
	}
	return found, nil
}

// Trash returns the id of the mailbox's Deleted Items.
func (c *Client) Trash(ctx context.Context, tenant, mailbox string) (string, error) {
	return c.wellKnown(ctx, tenant, mailbox, "deleteditems", "Deleted Items")
}

// Sent returns the id of the mailbox's Sent Items.
func (c *Client) Sent(ctx context.Context, tenant, mailbox string) (string, error) {
	return c.wellKnown(ctx, tenant, mailbox, "sentitems", "Sent Items")
}

// wellKnown returns the id of a folder by the name that it has in every language.
func (c *Client) wellKnown(ctx context.Context, tenant, mailbox, name, title string) (string, error) {
	k := call{op: "find the mailbox's " + title, tenant: tenant, mailbox: mailbox, bulk: true, about: aMailbox, needs: readsMail}
	var folder models.MailFolderable
	_, err := c.do(ctx, k, func(ctx context.Context) (err error) {
		folder, err = c.user(mailbox).MailFolders().ByMailFolderId(name).Get(ctx, &users.ItemMailFoldersMailFolderItemRequestBuilderGetRequestConfiguration{
			Headers: immutable(), QueryParameters: &users.ItemMailFoldersMailFolderItemRequestBuilderGetQueryParameters{Select: []string{"id"}},
		})
		return present(folder, err)
	})
	if err != nil {
		return "", err
	}
	return deref(folder.GetId()), nil
}

// Folder reads where a message lies.
func (c *Client) Folder(ctx context.Context, tenant, mailbox, letter string) (folder, requestID string, err error) {
	k := call{op: "read where the message lies", tenant: tenant, mailbox: mailbox, bulk: true, about: aMessage, needs: readsMail}
	var m models.Messageable
	answer, err := c.do(ctx, k, func(ctx context.Context) (err error) {
		m, err = c.user(mailbox).Messages().ByMessageId(letter).Get(ctx, &users.ItemMessagesMessageItemRequestBuilderGetRequestConfiguration{
			Headers: immutable(), QueryParameters: &users.ItemMessagesMessageItemRequestBuilderGetQueryParameters{Select: []string{"id", "parentFolderId"}},
		})
		return present(m, err)
	})
	if err != nil {
		return "", "", err
	}
	return deref(m.GetParentFolderId()), answer.RequestID, nil
}

// Move moves a message. Graph makes a copy and removes the original, so that a second
// move after a lost answer could find nothing: read Folder first.
// https://learn.microsoft.com/en-us/graph/api/message-move
func (c *Client) Move(ctx context.Context, tenant, mailbox, letter, folder string) (steps.Receipt, error) {
	k := call{op: "move the message", tenant: tenant, mailbox: mailbox, bulk: true, about: aMessage, needs: movesMail, write: true, once: true}
	body := users.NewItemMessagesItemMovePostRequestBody()
	body.SetDestinationId(&folder)
	answer, err := c.do(ctx, k, func(ctx context.Context) error {
		_, err := c.user(mailbox).Messages().ByMessageId(letter).Move().Post(ctx, body, &users.ItemMessagesItemMoveRequestBuilderPostRequestConfiguration{Headers: immutable()})
		return err
	})
	if err != nil {
		return steps.Receipt{}, err
	}
	return receipt(answer), nil
}

func sender(m models.Messageable) string {
	if m.GetFrom() == nil || m.GetFrom().GetEmailAddress() == nil {
		return ""
	}
	return deref(m.GetFrom().GetEmailAddress().GetAddress())
}

func guest(u models.Userable) bool {
	return strings.EqualFold(deref(u.GetUserType()), "Guest") || strings.Contains(strings.ToUpper(deref(u.GetUserPrincipalName())), "#EXT#")
}
