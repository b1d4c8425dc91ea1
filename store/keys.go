package store

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"responsehub"
	"responsehub/remediation"
)

// Key names are stored names: they never change. Everything of a partition carries its
// hash tag, so that one script may touch all of it on a Cluster.

var tags = func() (tags [remediation.Partitions]string) {
	for p := range tags {
		tags[p] = fmt.Sprintf("{h%02d}:", p)
	}
	return tags
}()

func tag(partition int) string { return tags[partition] }

func tagOf(id string) string { return tag(remediation.Partition(id)) }

func subjectKey(id string) string { return tagOf(id) + "inc:" + id }

func eventsKey(id string) string { return tagOf(id) + "events:" + id }

// lettersKey is a HASH of the messages that the incident's retraction found.
func lettersKey(id string) string { return tagOf(id) + "letters:" + id }

// named are the keys that every write of a partition names.
var named = func() (keys [remediation.Partitions]struct{ due, lanes, dead, bell, refs, list string }) {
	for p := range keys {
		k := &keys[p]
		k.due, k.lanes, k.dead = tag(p)+"due", tag(p)+"lanes", tag(p)+"dead"
		k.bell, k.refs, k.list = tag(p)+"bell", tag(p)+"refs", tag(p)+"list"
	}
	return keys
}()

func dueKey(partition int) string { return named[partition].due }

// lanesKey is a SET of the lanes that have something to do, whether due, held or dead.
// It is what sweeping compares the due lanes with.
func lanesKey(partition int) string { return named[partition].lanes }

func fenceKey(partition int) string { return tag(partition) + "fence" }

func deadKey(partition int) string { return named[partition].dead }

func bellKey(partition int) string { return named[partition].bell }

func refsKey(partition int) string { return named[partition].refs }

func laneKey(id string, lane responsehub.Lane) string {
	return tagOf(id) + "lane:" + member(id, lane)
}

// member is a lane's name in the sets of lanes. Ids contain no bar; lanes may.
func member(id string, lane responsehub.Lane) string { return id + "|" + string(lane) }

func splitMember(m string) (id string, lane responsehub.Lane, ok bool) {
	id, name, ok := strings.Cut(m, "|")
	return id, responsehub.Lane(name), ok && id != "" && name != ""
}

// accountKey hashes the account key: it holds a person's address, and a key's name
// shows up in slow logs and monitors.
func accountKey(account string) string {
	sum := sha256.Sum256([]byte(account))
	return tagOf(account) + "account:" + hex.EncodeToString(sum[:16])
}

func listKey(partition int) string { return named[partition].list }

func tenantListKey(partition int, tenant string) string {
	return tag(partition) + "list:tenant:" + tenant
}

func stateListKey(partition int, state responsehub.IncidentState) string {
	return tag(partition) + "list:state:" + string(state)
}

// deliveryKey takes source|delivery id.
func deliveryKey(delivery string) string { return tagOf(delivery) + "delivery:" + delivery }

const (
	partitionsKey       = "{dir}:partitions"
	directoryVersionKey = "{dir}:version"
	tenantsKey          = "{dir}:tenants"
	peopleKey           = "{dir}:people"
	apiKeysKey          = "{dir}:keys" // #nosec G101 -- the name of a key in Redis
	channelsKey         = "{dir}:channels"
	readinessKey        = "{dir}:readiness" // HASH by tenant id: what its last preflight found
	settingsKey         = "{dir}:settings"
	journalKey          = "{dir}:journal" // LIST, append-only: who changed the directory, chained like an incident's events
	signInsKey          = "{dir}:signins" //nolint:misspell // the name is stored: HASH by Microsoft tenant id, of people's sealed sign-ins
)

// onceKey is a STRING that is good for one use. Its name is a hash: who reads key names
// must not be able to use it.
func onceKey(token string) string {
	sum := sha256.Sum256([]byte(token))
	return "{once}:" + hex.EncodeToString(sum[:])
}

// visitorKey is a STRING: what the sign-in provider last said of somebody who is not on
// the list of people.
func visitorKey(subject string) string {
	sum := sha256.Sum256([]byte(subject))
	return "{session}:visitor:" + hex.EncodeToString(sum[:])
}

// alarmsDueKey is a ZSET of the alarms that have to be told, by the ms at which they may be
// or their lease ends.
const alarmsDueKey = "{alarms}:due"

// alarmKey is a HASH: an alarm to the operators. Its name is a hash of its subject.
func alarmKey(name string) string { return "{alarms}:alarm:" + name }

func limitTag(dest string) string { return "{lim:" + strings.ReplaceAll(dest, "}", "_") + "}:" }

func blockKey(dest string) string { return limitTag(dest) + "block" }

func permitsKey(dest string) string { return limitTag(dest) + "permits" }

func placesKey(list string) string { return limitTag(list) + "places" }

func windowKey(dest string) string { return limitTag(dest) + "window" }

// nextKey is, by what, a ZSET of those who ask by their rank ("line") or by the time each
// asked last ("seen"), or a STRING: when the next one may go ("due").
func nextKey(dest, what string) string { return limitTag(dest) + "next:" + what }

func rateKey(dest string) string { return limitTag(dest) + "rate" }
