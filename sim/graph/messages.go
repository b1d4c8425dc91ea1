package graph

import (
	"net/http"
	"regexp"
	"strings"

	"responsehub/sim/tenant"
)

var messageList = listing{
	entity: "message", context: "users('')/messages", pageSize: 10, maxPage: 1000, skip: true, orderBy: "receivedDateTime",
	always: []string{"id", "@odata.etag"},
	filter: rules{or: true, fields: map[string]string{
		"internetMessageId": "eq", "receivedDateTime": "eq ge gt le lt", "sentDateTime": "eq ge gt le lt", "subject": "eq startswith contains",
		"from/emailAddress/address": "eq", "sender/emailAddress/address": "eq", "isRead": "eq", "hasAttachments": "eq",
	}},
}

// itemID is what an Outlook id looks like; anything else is malformed rather than missing.
var itemID = regexp.MustCompile(`^[A-Za-z0-9_=-]{20,}$`)

// mailbox finds the mailbox of the first argument.
func (c *call) mailbox() (*tenant.User, *reply) {
	refuse := func(r reply) (*tenant.User, *reply) { return nil, &r }
	u := tenant.FindUser(c.t, c.args[0])
	switch {
	case u == nil:
		return refuse(fail(http.StatusNotFound, "ErrorInvalidUser", "The requested user '%s' is invalid.", c.args[0]))
	case u.Mailbox == nil:
		return refuse(fail(http.StatusNotFound, "MailboxNotEnabledForRESTAPI", "The mailbox is either inactive, soft-deleted, or is hosted on-premise."))
	case u.Mailbox.Excluded:
		return refuse(fail(http.StatusForbidden, "ErrorAccessDenied", "Access to OData is disabled: [RAOP] : Blocked by tenant configured AppOnly AccessPolicy settings."))
	}
	return u, nil
}

// immutable says whether the client asked for ids that survive moves.
// https://learn.microsoft.com/graph/outlook-immutable-id
func (c *call) immutable() bool {
	for _, p := range c.header.Values("Prefer") {
		for _, part := range strings.Split(p, ",") {
			if k, v, ok := strings.Cut(strings.TrimSpace(part), "="); ok && strings.EqualFold(k, "IdType") && strings.EqualFold(strings.Trim(v, `"`), "ImmutableId") {
				return true
			}
		}
	}
	return false
}

// messageObject is a message with every property this world knows.
func (c *call) messageObject(m *tenant.Message) object {
	id := m.ID
	if c.immutable() {
		id = m.ImmutableID
	}
	from := recipient(m.From, m.FromName)
	to := []object{}
	for _, a := range m.To {
		to = append(to, recipient(a, a))
	}
	return object{
		"@odata.etag": `W/"` + m.ID[len(m.ID)-12:] + `"`, "id": id, "parentFolderId": m.FolderID, "internetMessageId": m.InternetMessageID, "subject": m.Subject,
		"from": from, "sender": from, "toRecipients": to, "ccRecipients": []object{}, "bccRecipients": []object{}, "replyTo": []object{},
		"receivedDateTime": stampOf(m.Received), "sentDateTime": stampOf(m.Received), "createdDateTime": stampOf(m.Received), "lastModifiedDateTime": stampOf(m.Received),
		"isRead": m.Read, "isDraft": false, "hasAttachments": false, "importance": "normal", "bodyPreview": m.Preview,
		"body": object{"contentType": "text", "content": m.Preview}, "categories": []string{}, "conversationId": "AAQk" + m.InternetMessageID, "webLink": "https://outlook.office365.com/owa/",
		"inferenceClassification": "focused", "flag": object{"flagStatus": "notFlagged"}, "changeKey": "CQAAABYA",
	}
}

func recipient(address, name string) object {
	return object{"emailAddress": object{"address": address, "name": name}}
}

// listMessages: https://learn.microsoft.com/graph/api/user-list-messages
func (c *call) listMessages() reply {
	u, refused := c.mailbox()
	if refused != nil {
		return *refused
	}
	in := u.Mailbox.Messages
	if len(c.args) > 1 {
		f := tenant.FindFolder(u.Mailbox, c.args[1])
		if f == nil {
			return itemGone()
		}
		in = nil
		for _, m := range u.Mailbox.Messages {
			if m.FolderID == f.ID {
				in = append(in, m)
			}
		}
	}
	return c.list(messageList, each(in, c.messageObject))
}

// message finds the message of the second argument.
func (c *call) message(u *tenant.User) (*tenant.Message, *reply) {
	if !itemID.MatchString(c.args[1]) {
		out := fail(http.StatusBadRequest, "ErrorInvalidIdMalformed", "Id is malformed.")
		return nil, &out
	}
	m := tenant.FindMessage(u.Mailbox, c.args[1])
	if m == nil {
		out := itemGone()
		return nil, &out
	}
	return m, nil
}

// getMessage: https://learn.microsoft.com/graph/api/message-get
func (c *call) getMessage() reply {
	u, refused := c.mailbox()
	if refused != nil {
		return *refused
	}
	m, refused := c.message(u)
	if refused != nil {
		return *refused
	}
	return c.one(messageList, c.messageObject(m))
}

// moveMessage makes a new item in the destination and removes the old one, so the id changes and the
// call cannot be repeated with the old one. The SDK sends DestinationId, the documents say destinationId.
// https://learn.microsoft.com/graph/api/message-move
func (c *call) moveMessage() reply {
	u, refused := c.mailbox()
	if refused != nil {
		return *refused
	}
	body, refused := c.decode("destinationId", "DestinationId")
	if refused != nil {
		return *refused
	}
	to, _ := body["destinationId"].(string)
	if to == "" {
		to, _ = body["DestinationId"].(string)
	}
	if to == "" {
		return fail(http.StatusBadRequest, "ErrorInvalidRequest", "The destination folder id is missing.")
	}
	m, refused := c.message(u)
	if refused != nil {
		return *refused
	}
	f := tenant.FindFolder(u.Mailbox, to)
	if f == nil {
		return fail(http.StatusNotFound, "ErrorFolderNotFound", "The specified folder could not be found in the store.")
	}
	from := tenant.FindFolder(u.Mailbox, m.FolderID)
	tenant.Move(u, m, f)
	c.effect("move", u.ID, m.InternetMessageID+": "+from.Name+" -> "+f.Name)
	return reply{status: http.StatusCreated, body: c.created(c.messageObject(m), "users('"+u.ID+"')/messages")}
}

// created is an entity in the answer of a call that made it.
func (c *call) created(o object, context string) object {
	o["@odata.context"] = c.base + "/$metadata#" + context + "/$entity"
	return o
}

// purgeMessage: https://learn.microsoft.com/graph/api/message-permanentdelete
func (c *call) purgeMessage() reply {
	u, refused := c.mailbox()
	if refused != nil {
		return *refused
	}
	m, refused := c.message(u)
	if refused != nil {
		return *refused
	}
	tenant.Purge(u.Mailbox, m)
	c.effect("message.purge", u.ID, m.InternetMessageID)
	return reply{status: http.StatusNoContent}
}
