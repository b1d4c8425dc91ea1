package twilio

import (
	"strings"
	"unicode/utf16"
)

// The alphabet of GSM 03.38. The second takes two places for each character.
const (
	gsmBasic    = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
	gsmExtended = "^{}\\[~]|€"
)

// segments is how many parts a text is sent in: 160 places of GSM-7 or 70 of UCS-2 for one, 153 or
// 67 for each of several.
func segments(body string) int {
	places, gsm := 0, true
	for _, r := range body {
		switch {
		case strings.ContainsRune(gsmBasic, r):
			places++
		case strings.ContainsRune(gsmExtended, r):
			places += 2
		default:
			gsm = false
		}
	}
	one, several := 160, 153
	if !gsm {
		one, several, places = 70, 67, len(utf16.Encode([]rune(body)))
	}
	if places <= one {
		return 1
	}
	return (places + several - 1) / several
}
