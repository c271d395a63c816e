// Judges certificate chains by Go's crypto/x509, as an adversary of our own path validation.
//
// Reads one JSON array of cases from standard input and writes one JSON array of verdicts, "ok" or Go's reason.
package main

import (
	"crypto/x509"
	"encoding/json"
	"log"
	"os"
	"time"
)

type chainCase struct {
	Chain   [][]byte `json:"chain"`
	Anchors [][]byte `json:"anchors"`
	NowMs   int64    `json:"nowMs"`
}

func judge(c chainCase) string {
	parse := func(list [][]byte) ([]*x509.Certificate, error) {
		var out []*x509.Certificate
		for _, der := range list {
			certificate, err := x509.ParseCertificate(der)
			if err != nil {
				return nil, err
			}
			out = append(out, certificate)
		}
		return out, nil
	}
	chain, err := parse(c.Chain)
	if err != nil {
		return err.Error()
	}
	if len(chain) == 0 {
		return "no certificate"
	}
	anchors, err := parse(c.Anchors)
	if err != nil {
		return err.Error()
	}
	roots, intermediates := x509.NewCertPool(), x509.NewCertPool()
	for _, anchor := range anchors {
		roots.AddCert(anchor)
	}
	for _, certificate := range chain[1:] {
		intermediates.AddCert(certificate)
	}
	_, err = chain[0].Verify(x509.VerifyOptions{
		Roots:         roots,
		Intermediates: intermediates,
		CurrentTime:   time.UnixMilli(c.NowMs),
		KeyUsages:     []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	})
	if err != nil {
		return err.Error()
	}
	return "ok"
}

func main() {
	var cases []chainCase
	if err := json.NewDecoder(os.Stdin).Decode(&cases); err != nil {
		log.Fatal(err)
	}
	verdicts := make([]string, 0, len(cases))
	for _, c := range cases {
		verdicts = append(verdicts, judge(c))
	}
	if err := json.NewEncoder(os.Stdout).Encode(verdicts); err != nil {
		log.Fatal(err)
	}
}
