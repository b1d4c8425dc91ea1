package autotask

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"responsehub/sim/desk"
)

// def is a field of an entity. Marks: * needed for a new record, - read only, @ names another entity, # a picklist.
type def struct {
	name, kind, marks, refers string
	length                    int
}

// defs are the fields of the entities, "name:kind[length]marks refers". Kinds are s(tring), i(nteger), b(oolean),
// t(ime) and n(umber).
var defs = map[string][]def{
	"Tickets": parseDefs(`id:i- ticketNumber:s50- title:s255* description:s8000 resolution:s32000 companyID:i*@Companies contactID:i@Contacts status:i*# priority:i*# queueID:i#
		source:i# ticketCategory:i# ticketType:i# issueType:i# subIssueType:i# assignedResourceID:i@Resources assignedResourceRoleID:i externalID:s50 dueDateTime:t
		createDate:t- creatorResourceID:i-@Resources creatorType:i- completedDate:t- completedByResourceID:i-@Resources lastActivityDate:t- lastActivityResourceID:i-@Resources
		lastActivityPersonType:i- lastTrackedModificationDateTime:t- rmmAlertID:s50 monitorID:i monitorTypeID:i billingCodeID:i configurationItemID:i contractID:i estimatedHours:n
		problemTicketId:i projectID:i purchaseOrderNumber:s50 serviceLevelAgreementID:i companyLocationID:i organizationalLevelAssociationID:i`),
	"TicketNotes": parseDefs(`id:i- ticketID:i*@Tickets title:s250* description:s32000* noteType:i*# publish:i*# createDateTime:t- creatorResourceID:i-@Resources lastActivityDate:t- impersonatorCreatorResourceID:i-`),
	"Companies":   parseDefs(`id:i- companyName:s100* companyType:i* isActive:b companyNumber:s50 phone:s25 webAddress:s255 ownerResourceID:i`),
	"Contacts":    parseDefs(`id:i- companyID:i*@Companies firstName:s50* lastName:s50* emailAddress:s254 isActive:i*`),
	"Resources":   parseDefs(`id:i- userName:s32- firstName:s50- lastName:s50- email:s254- isActive:b-`),
	"TicketWebhooks": parseDefs(`id:i- name:s50* webhookUrl:s500* deactivationUrl:s500* secretKey:s64* isActive:b* isReady:b- isSubscribedToCreateEvents:b isSubscribedToUpdateEvents:b
		isSubscribedToDeleteEvents:b ownerResourceID:i@Resources notificationEmailAddress:s150 sendThresholdExceededNotification:b webhookGUID:s50-`),
	"TicketWebhookFields":            parseDefs(`id:i- webhookID:i*@TicketWebhooks fieldID:i*# isSubscribedField:b* isDisplayAlwaysField:b*`),
	"TicketWebhookExcludedResources": parseDefs(`id:i- webhookID:i*@TicketWebhooks resourceID:i*@Resources`),
	"WebhookEventErrorLogs":          parseDefs(`id:i- createDateTime:t- errorMessage:s4000- payload:s8000- sequenceNumber:i-`),
}

func parseDefs(text string) (out []def) {
	for entry := range strings.FieldsSeq(text) {
		name, rest, _ := strings.Cut(entry, ":")
		rest, refers, _ := strings.Cut(rest, "@")
		d := def{name: name, kind: rest[:1], refers: refers}
		if _, err := fmt.Sscanf(rest[1:], "%d%s", &d.length, &d.marks); err != nil && d.length == 0 {
			d.marks = rest[1:]
		}
		out = append(out, d)
	}
	return out
}

func definition(entity, name string) (def, bool) {
	i := slices.IndexFunc(defs[entity], func(d def) bool { return strings.EqualFold(d.name, name) })
	if i < 0 {
		return def{}, false
	}
	return defs[entity][i], true
}

func isField(entity, name string) bool {
	_, ok := definition(entity, name)
	return ok
}

// fields is the answer of entityInformation/fields.
func (s *Service) fields(entity string) []any {
	out := []any{}
	for _, d := range defs[entity] {
		f := desk.Record{
			"name": d.name, "dataType": map[string]string{"s": "string", "i": "integer", "b": "boolean", "t": "datetime", "n": "double"}[d.kind], "length": d.length,
			"isRequired": strings.Contains(d.marks, "*"), "isReadOnly": strings.Contains(d.marks, "-"), "isQueryable": d.name != "secretKey", "isReference": d.refers != "",
			"referenceEntityType": strings.TrimSuffix(d.refers, "s"), "isPickList": strings.Contains(d.marks, "#"), "picklistValues": nil, "picklistParentValueField": "",
			"isSupportedWebhookField": entity == "Tickets" && slices.Contains(hookable, d.name),
		}
		if strings.Contains(d.marks, "#") {
			f["picklistValues"] = s.lists[d.name]
		}
		if d.name == "subIssueType" {
			f["picklistParentValueField"] = "issueType"
		}
		out = append(out, f)
	}
	return out
}

// judge says what is wrong with the fields that somebody sets on a record, which becomes after.
func (s *Service) judge(entity string, set, after desk.Record) (wrong []string) {
	for name, v := range set {
		d, ok := definition(entity, name)
		switch {
		case !ok:
			s.unexpected("the unknown field " + name + " for " + entity)
			wrong = append(wrong, fmt.Sprintf("Could not find member '%s' on object of type '%s'.", name, entity))
		case d.name != name:
			wrong = append(wrong, fmt.Sprintf("Could not find member '%s' on object of type '%s'; is it %s?", name, entity, d.name))
			s.unexpected("the field " + name + " in other letters than " + d.name)
		case strings.Contains(d.marks, "-") && name != "id":
			wrong = append(wrong, fmt.Sprintf("The field %s is read only.", name))
		case v != nil && name != "id":
			wrong = append(wrong, s.judgeValue(d, v, after)...)
		}
	}
	for _, d := range defs[entity] {
		if strings.Contains(d.marks, "*") && (after[d.name] == nil || d.kind == "s" && strings.TrimSpace(after.Text(d.name)) == "") {
			wrong = append(wrong, fmt.Sprintf("Missing Required Field: %s; on record number [1].", d.name))
		}
	}
	if entity == "Tickets" {
		resource, assigned := after["assignedResourceID"] != nil, after["assignedResourceRoleID"] != nil
		switch {
		case resource != assigned:
			wrong = append(wrong, "When assigning a Resource, you must assign both a assignedResourceID and assignedResourceRoleID.")
		case !resource && after["queueID"] == nil:
			wrong = append(wrong, "AssignedResourceID, AssignedResourceRoleID, and QueueID cannot all be empty.")
		}
	}
	slices.Sort(wrong)
	return wrong
}

func (s *Service) judgeValue(d def, v any, after desk.Record) []string {
	n, number := desk.Number(v)
	_, text := v.(string)
	_, flag := v.(bool)
	if (d.kind == "i" && (!number || n != float64(int(n)))) || d.kind == "n" && !number || (d.kind == "s" || d.kind == "t") && !text || d.kind == "b" && !flag {
		s.unexpected(fmt.Sprintf("%s is no %s", d.name, d.kind))
		return []string{fmt.Sprintf("Error converting value %v for the field %s.", v, d.name)}
	}
	if d.length > 0 && utf8.RuneCountInString(fmt.Sprint(v)) > d.length {
		return []string{fmt.Sprintf("The string length of %s exceeds the maximum of %d.", d.name, d.length)}
	}
	if d.refers != "" && find(s.tables[d.refers], int(n)) == nil {
		return []string{fmt.Sprintf("Value does not reference an existing entity for %s . ", d.name)}
	}
	if !strings.Contains(d.marks, "#") {
		return nil
	}
	for _, c := range s.lists[d.name] {
		if c.Value == fmt.Sprint(int(n)) && c.Active && (c.Parent == "" || c.Parent == fmt.Sprint(after.Int("issueType"))) {
			return nil
		}
	}
	return []string{fmt.Sprintf("Value does not exist for the picklist field %s; on record number [1].", d.name)}
}
