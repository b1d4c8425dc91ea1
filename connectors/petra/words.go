package petra

// What people read.
const (
	wordsTitle     = "Account takeover"
	wordsSummary   = "Read from Petra's list of incidents. The link leads to what Petra saw."
	wordsOccurred  = "The takeover began, by Petra's account."
	wordsKey       = "Petra refuses the API key. An administrator makes a new one in Petra under Settings, API Keys; put it under poll of the source."
	wordsForbidden = "Petra does not let the hub read its incidents. Check the API key under poll of the source, and that a proxy on the way keeps the User-Agent."
	wordsThrottled = "Petra was asked too often and wants to be left alone for a while. Raise every under poll of the source."
	wordsAway      = "Petra's API does not answer as it should. It is asked again."
)
