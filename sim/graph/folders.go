package graph

import (
	"net/http"

	"responsehub/sim/tenant"
)

var folderList = listing{
	entity: "mailFolder", context: "users('')/mailFolders", pageSize: 10, maxPage: 1000, skip: true, always: []string{"id"},
	filter: rules{fields: map[string]string{"displayName": "eq"}},
}

func folderObject(mb *tenant.Mailbox, f *tenant.Folder) object {
	total, unread := 0, 0
	for _, m := range mb.Messages {
		if m.FolderID == f.ID {
			total++
			if !m.Read {
				unread++
			}
		}
	}
	return object{
		"id": f.ID, "displayName": f.Name, "parentFolderId": "AQMkADroot" + f.ID[6:40], "childFolderCount": 0,
		"totalItemCount": total, "unreadItemCount": unread, "isHidden": false,
	}
}

// listFolders: https://learn.microsoft.com/graph/api/user-list-mailfolders
func (c *call) listFolders() reply {
	u, refused := c.mailbox()
	if refused != nil {
		return *refused
	}
	return c.list(folderList, each(u.Mailbox.Folders, func(f *tenant.Folder) object { return folderObject(u.Mailbox, f) }))
}

// getFolder takes an id or a well-known name.
// https://learn.microsoft.com/graph/api/mailfolder-get
func (c *call) getFolder() reply {
	u, refused := c.mailbox()
	if refused != nil {
		return *refused
	}
	f := tenant.FindFolder(u.Mailbox, c.args[1])
	if f == nil {
		return itemGone()
	}
	return c.one(folderList, folderObject(u.Mailbox, f))
}

var settingsOne = listing{entity: "mailboxSettings", context: "users('')/mailboxSettings"}

func settingsObject(u *tenant.User) object {
	purpose := "user"
	if u.Shared {
		purpose = "shared"
	}
	return object{
		"timeZone": "UTC", "dateFormat": "", "timeFormat": "", "archiveFolder": nil, "userPurpose": purpose,
		"automaticRepliesSetting": object{"status": u.AutomaticRepliesStatus, "externalAudience": "all", "internalReplyMessage": u.AutomaticReply, "externalReplyMessage": u.AutomaticReply},
		"language":                object{"locale": "en-US", "displayName": "English (United States)"},
	}
}

// getSettings: https://learn.microsoft.com/graph/api/user-get-mailboxsettings
func (c *call) getSettings() reply {
	u, refused := c.mailbox()
	if refused != nil {
		return *refused
	}
	return c.one(settingsOne, settingsObject(u))
}

// patchSettings changes the automatic reply only.
// https://learn.microsoft.com/graph/api/user-update-mailboxsettings
func (c *call) patchSettings() reply {
	u, refused := c.mailbox()
	if refused != nil {
		return *refused
	}
	m, refused := c.decode("automaticRepliesSetting")
	if refused != nil {
		return *refused
	}
	set, _ := m["automaticRepliesSetting"].(map[string]any)
	status, ok := set["status"].(string)
	if !ok || (status != "disabled" && status != "alwaysEnabled" && status != "scheduled") {
		return fail(http.StatusBadRequest, "ErrorInvalidArgument", "The automatic replies status is not valid.")
	}
	if status != u.AutomaticRepliesStatus {
		u.AutomaticRepliesStatus = status
		c.effect("autoreply."+status, u.ID, u.UPN)
	}
	return reply{status: http.StatusOK, body: c.created(settingsObject(u), "users('"+u.ID+"')/mailboxSettings")}
}
