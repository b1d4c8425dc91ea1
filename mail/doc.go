// Package mail decides who is mailed what about an incident.
//
// It promises each recipient one thread per incident: a report when it is opened, and an
// update when something changes that matters (the account is locked or open again, a
// person is needed, somebody answered, nobody did, it is closed), never more than one a
// minute. What a mail is to say is saved before it is sent, and its Message-ID follows
// from it: a mail that goes out twice, because the hub died in between, is the same mail
// to every mail program. No mail holds a secret.
//
// What may go wrong: a server that refuses for good is seen on the incident, and in its
// record; one that is away is tried again for two days. What happens to a mail after the
// first server took it (a bounce, a folder for spam) is not seen by the hub: bounces go
// to the sender's address.
package mail
