package store

import (
	"embed"
	"strings"

	"github.com/redis/go-redis/v9"
)

//go:embed lua/*.lua
var sources embed.FS

// Each transition is one script. A script is put together from the fragments it needs,
// so that commit and settle write by the very same lines.
var (
	commitChange     = script("now_time", "wake_lane", "write_subject", "commit_change")
	openIncident     = script("now_time", "wake_lane", "open_incident")
	settleLane       = script("now_time", "wake_lane", "write_subject", "settle_lane")
	peekDue          = script("now_time", "next_due", "peek_due")
	claimLanes       = script("now_time", "next_due", "claim_lanes")
	extendLease      = script("now_time", "extend_lease")
	writeLetters     = script("write_letters")
	sweepPartition   = script("now_time", "wake_lane", "sweep_partition")
	reviveLane       = script("now_time", "wake_lane", "revive_lane")
	changeDirectory  = script("now_time", "change_directory")
	blockDestination = script("now_time", "block_destination")
	readBlock        = script("now_time", "read_block")
	takePermit       = script("now_time", "take_permit")
	takePlace        = script("now_time", "take_place")
	takeTurn         = script("now_time", "take_turn")
	renewSignIn      = script("renew_sign_in")
	takeNext         = script("now_time", "take_next")
	takeWindow       = script("now_time", "take_window")
	openCode         = script("now_time", "open_code")
	closeCode        = script("now_time", "close_code")
	takePhone        = script("now_time", "take_phone")
	freePhone        = script("free_phone")
	raiseAlarm       = script("now_time", "raise_alarm")
	endAlarm         = script("now_time", "end_alarm")
	claimAlarm       = script("now_time", "claim_alarm")
	holdAlarm        = script("now_time", "hold_alarm")
	settleAlarm      = script("now_time", "settle_alarm")
)

func script(names ...string) *redis.Script {
	var b strings.Builder
	for _, name := range names {
		src, err := sources.ReadFile("lua/" + name + ".lua")
		if err != nil {
			panic(err) // embedded: a misspelt name fails every test
		}
		b.Write(src)
		b.WriteByte('\n')
	}
	return redis.NewScript(b.String())
}
