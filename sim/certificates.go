package sim

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"time"
)

// makeCertificates makes an authority of our own and a certificate for this machine's loopback
// names, both good until end. The authority's key is thrown away, so that nothing else can ever be
// signed with it.
func makeCertificates(end time.Time) (authority []byte, leaf tls.Certificate, err error) {
	fail := func(err error) ([]byte, tls.Certificate, error) {
		return nil, tls.Certificate{}, fmt.Errorf("sim: make certificates: %w", err)
	}
	caKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return fail(err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return fail(err)
	}
	now := time.Now()
	ca := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()), Subject: pkix.Name{CommonName: "responsehub simulated world"},
		NotBefore: now.Add(-time.Hour), NotAfter: end, IsCA: true, BasicConstraintsValid: true,
		MaxPathLenZero: true, KeyUsage: x509.KeyUsageCertSign,
		// An authority that could vouch for the whole internet has no business on anybody's disk.
		PermittedDNSDomainsCritical: true, PermittedDNSDomains: []string{"localhost"},
		PermittedIPRanges: []*net.IPNet{
			{IP: net.IPv4(127, 0, 0, 0).To4(), Mask: net.CIDRMask(8, 32)}, {IP: net.IPv6loopback, Mask: net.CIDRMask(128, 128)},
		},
	}
	server := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano() + 1), Subject: pkix.Name{CommonName: "simulated sign-in"},
		NotBefore: ca.NotBefore, NotAfter: ca.NotAfter, DNSNames: []string{"localhost"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	caDER, err := x509.CreateCertificate(rand.Reader, ca, ca, &caKey.PublicKey, caKey)
	if err != nil {
		return fail(err)
	}
	der, err := x509.CreateCertificate(rand.Reader, server, ca, &key.PublicKey, caKey)
	if err != nil {
		return fail(err)
	}
	leaf = tls.Certificate{Certificate: [][]byte{der, caDER}, PrivateKey: key}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: caDER}), leaf, nil
}

// certificate is what the sign-in service shows and what vouches for it, in PEM.
type certificate struct {
	Authority string `json:"authority"`
	Chain     string `json:"chain"`
	Key       string `json:"key"`
}

// certify takes the kept certificate, or makes one when there is none or it ends within a day, and
// writes the authority to CAFile.
func (w *World) certify(kept *saved) (err error) {
	if kept != nil {
		if w.tls, err = kept.Certificate.parse(); err != nil {
			return w.unreadable(fmt.Errorf("certificate: %w", err))
		}
		w.certificate = kept.Certificate
	}
	if kept == nil || time.Until(w.tls.Leaf.NotAfter) < 24*time.Hour {
		authority, leaf, err := makeCertificates(time.Now().AddDate(1, 0, 0))
		if err != nil {
			return err
		}
		w.tls = leaf
		if w.certificate, err = encodeCertificate(authority, leaf); err != nil {
			return err
		}
	}
	if err := os.WriteFile(w.CAFile(), []byte(w.certificate.Authority), 0o644); err != nil { //nolint:gosec // a certificate is public
		return fmt.Errorf("sim: write the CA file: %w", err)
	}
	return nil
}

func encodeCertificate(authority []byte, leaf tls.Certificate) (certificate, error) {
	key, err := x509.MarshalPKCS8PrivateKey(leaf.PrivateKey)
	if err != nil {
		return certificate{}, fmt.Errorf("sim: encode the certificate's key: %w", err)
	}
	var chain []byte
	for _, der := range leaf.Certificate {
		chain = append(chain, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	}
	return certificate{string(authority), string(chain), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}))}, nil
}

func (c certificate) parse() (tls.Certificate, error) {
	if block, _ := pem.Decode([]byte(c.Authority)); block == nil || block.Type != "CERTIFICATE" {
		return tls.Certificate{}, errors.New("the authority is no certificate")
	}
	pair, err := tls.X509KeyPair([]byte(c.Chain), []byte(c.Key))
	if err != nil {
		return tls.Certificate{}, err
	}
	pair.Leaf, err = x509.ParseCertificate(pair.Certificate[0])
	return pair, err
}
