package responsehub

import "time"

// Channel is a Teams channel (or personal chat) as learnt from install events: where
// the bot may post, and through which address.
type Channel struct {
	V          int       `json:"v"`
	ID         string    `json:"id"` // 19:...@thread.tacv2, without ;messageid=
	Name       string    `json:"name,omitempty"`
	TeamID     string    `json:"team_id,omitempty"`
	TeamName   string    `json:"team_name,omitempty"`
	TenantID   string    `json:"tenant_id"`
	ServiceURL string    `json:"service_url"`
	BotID      string    `json:"bot_id"`
	Installed  bool      `json:"installed"`          // false after the bot was removed
	Failure    string    `json:"failure,omitempty"`  // why it cannot be reached, for people
	FailedAt   time.Time `json:"failed_at,omitzero"` // when Teams refused a message there last
	SeenAt     time.Time `json:"seen_at"`
}
