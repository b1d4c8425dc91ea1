package remediation

import (
	"bytes"
	"compress/flate"
	"errors"
	"fmt"
	"io"
	"sync"
)

// What a stored record begins with that is not plain JSON, which begins with a brace.
const (
	packed     = 0x01 // deflated
	packedWith = 0x02 // deflated with the words of dictionary
)

// maxUnpacked bounds what a stored record may unfold to, in bytes.
const maxUnpacked = 64 << 20

// dictionary is what records are full of: it makes a short one half as long. What is
// stored depends on each of its bytes; another one needs another mark.
const dictionary = `{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#users('')/mailFolders('inbox')/messageRules/$entity","actions":{"delete":true,"markAsRead":true,"moveToFolder":"stopProcessingRules":true},"conditions":{"subjectContains":["invoice"]},"displayName":"","exceptions":null,"hasError":false,"id":"","isEnabled":true,"isReadOnly":false,"sequence":2}` +
	`"appId":"","createdDateTime":"","isDisabled":false,"keyCredentials":[],"passwordCredentials":[{"customKeyIdentifier":null,"displayName":"","endDateTime":"","hint":"","keyId":"","secretText":null,"startDateTime":""}],"publisherDomain":null,"requiredResourceAccess":[],"signInAudience":"AzureADMyOrg"},"owners":[""]` +
	`{"DeleteMessage":false,"Description":"","Enabled":true,"ForwardAsAttachmentTo":null,"ForwardTo":[""],"From":null,"Identity":"","InError":false,"IsValid":true,"MailboxOwnerId":"","MarkAsRead":false,"MoveToFolder":null,"Name":"","Priority":1,"RedirectTo":null,"RuleIdentity":1,"StopProcessingRules":false,"SubjectContainsWords":null,"SupportedByTask":true}` +
	`{"CloudServicesMailEnabled":false,"Comment":null,"ConnectorSource":"Default","ConnectorType":"Partner","Enabled":true,"Guid":"","Identity":"","ObjectState":"Unchanged","RequireTls":false,"RestrictDomainsToIPAddresses":false,"SenderDomains":["smtp:*;1"],"SenderIPAddresses":[""],"TlsSenderCertificateName":null,"WhenCreated":"","WhenCreatedUTC":""}` +
	`"kind":"inbox_rule","kind":"service_principal","kind":"app_registration","kind":"inbound_connector","kind":"oauth_grant","kind":"message","mailbox":"","hidden":true,"state":"waiting","why":"Named by the detector.","The rule is hidden: neither Outlook nor Microsoft Graph shows it.","The user consented to this app, which may: Mail.ReadWrite, Mail.Send, offline_access."` +
	`"made_at":"","made_by":"","action":"disable","by":{"id":"policy","name":"Response (automatic)","via":"policy"},"proof":{"value":"disabled","request_id":"` +
	`In the mailbox of , known by its message id.","Was in Deleted Items of  already.","accountEnabled=false, sessions valid from ; Exchange, Teams, SharePoint are cut off within 15 min, other apps within 60","snapshot":{"enabled":true,"sessions_valid_from":"","changed_before":""` +
	`"mailbox":"","address":"","id":"","internet_message_id":"\u003c@\u003e","subject":"","folder":"","read":true,"rule":"message_id","round":1,"state":"done","hub":true,"why":"","at":"","request_id":""}` +
	`"tickets":{"":{"id":"","number":"","url":"https://","company":"","stage":"closed","noted":["` + `"mails":{"":{"message_id":"","told":"","sent":2,"at":"","page":{"state":"acknowledged","why":"Response is off: nothing is done by itself","sequence":[""],"rounds":3,"begun":"","step":0,"step_at":"","settled":true,"attempts":[{"id":"","person":"","way":"text","state":"delivered","code":"","sid":"SM","at":"","ended":"","tries":1},{"id":"","person":"","way":"call","state":"cancelled","sid":"CA","reason":"The call was taken back"` +
	`"cards":{"19:@thread.tacv2":{"conversation":"19:@thread.tacv2;messageid=","activity":"","drawn":"","drawn_at":"","replies":["locked:1","closed:"` +
	`"watch":{"since":"","checked_at":"","checks":1,"sessions_valid_from":"","ended_at":""},"progress":{"searched":,"mailboxes":,"found":,"moved":,"already":1,"kept":1},"evidence":[{"at":"","kind":"sign_in","text":"Sign-in from an unknown device","ip":"","country":""}],"phish":[{"internet_message_id":"` +
	`{"v":1,"seq":1,"at":"20","kind":"notice.sent","kind":"page.attempt","kind":"step.requested","kind":"step.sent","kind":"item.found","kind":"step.partial","kind":"step.needs_human","kind":"item.skipped","kind":"incident.acknowledged","kind":"incident.closed","by":{"id":"person:","name":"","via":"teams"},"by":{"id":"hub","name":"responsehub","via":"hub"},"step":"reenable","step":"password","step":"retract","step":"lock","step":"persistence","item":"","text":"Found ","text":"Teams card posted in ","text":"Ticket # made in ","text":"Mail to : opened","text":"Text to : delivered",Revoke sessions and lock account asked for by Response (automatic)","prev":"` +
	`"text":"Account locked: sign-in is off and the sessions are revoked, read back from Microsoft","set":{"lock":"done"},"prev":"","text":"Sign-in block and revocation accepted by Microsoft, reading back","prev":"","text":"Marked as remediated by ","set":{"close":"done","state":"remediated"},"prev":"` +
	`{"v":1,"seq":1,"at":"20","kind":"step.done","by":{"id":"policy","name":"Response (automatic)","via":"policy"},"step":"persistence","item":"","text":"inbox rule \".\": disabled, read back from Microsoft","set":{"persistence/":"done"},"prev":"` +
	`{"v":1,"seq":1,"at":"20","kind":"item.done","by":{"id":"policy","name":"Response (automatic)","via":"policy"},"step":"persistence","item":"","text":"` +
	`{"v":1,"id":"01","ref":"RH-","state":"remediated","response":true,"tenant":{"id":"","name":"","microsoft_tenant_id":""},"source":"","key":"","alerts":[""],"account":{"object_id":"","user_principal_name":"","display_name":""},"severity":"critical","title":"Account takeover","summary":"","link":"https://","detected_at":"","received_at":"","opened_at":"","closed_at":"","acknowledged":{"by":{"id":"person:","name":"","via":"teams"},"at":""},"steps":[{"id":"publish","state":"done","requested_at":"","requested_by":{"id":"","name":"","via":"console"},"verified_at":"","proof":{"value":"","at":""},{"id":"lock","state":"done","round":1,"requested_at":"20","requested_by":{"id":"policy","name":"Response (automatic)","via":"policy"},"started_at":"20","sent_at":"20","verified_at":"20","proof":{"value":"","request_id":"","at":"20"},"items":[{"id":"",{"id":"retract",{"id":"persistence",{"id":"password",{"id":"reenable",{"id":"close","state":"done","round":1,"requested_at":"20`

// writers are made once each: one takes most of a megabyte.
var writers = sync.Pool{New: func() any {
	w, _ := flate.NewWriterDict(nil, flate.BestCompression, []byte(dictionary)) // fails only for an unknown level
	return w
}}

// Pack makes a record short that is kept for long and seldom read.
func Pack(b []byte) ([]byte, error) {
	out := bytes.NewBuffer([]byte{packedWith})
	w, _ := writers.Get().(*flate.Writer) // nothing else is in the pool
	defer writers.Put(w)
	w.Reset(out)
	if _, err := w.Write(b); err != nil {
		return nil, fmt.Errorf("pack: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("pack: %w", err)
	}
	return out.Bytes(), nil
}

var readers = sync.Pool{New: func() any { return flate.NewReader(nil) }}

// Unpack returns what was packed, and plain JSON as it is.
func Unpack(b []byte) ([]byte, error) {
	if len(b) == 0 || b[0] != packed && b[0] != packedWith {
		return b, nil
	}
	var words []byte
	if b[0] == packedWith {
		words = []byte(dictionary)
	}
	r, _ := readers.Get().(io.Reader) // nothing else is in the pool
	defer readers.Put(r)
	if again, ok := r.(flate.Resetter); ok {
		if err := again.Reset(bytes.NewReader(b[1:]), words); err != nil {
			return nil, fmt.Errorf("unpack: %w", err)
		}
	}
	plain, err := io.ReadAll(io.LimitReader(r, maxUnpacked+1))
	if err == nil && len(plain) > maxUnpacked {
		err = errors.New("the record unfolds to more than the hub reads")
	}
	return plain, err
}
