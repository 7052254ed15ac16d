// Hashes, encodings, compression and a cipher from the standard library.
package main

import (
	"bytes"
	"compress/gzip"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"hash/fnv"
	"io"
	"strings"
)

func main() {
	text := []byte("The quick brown fox jumps over the lazy dog")
	fmt.Printf("%x\n%x\n%08x\n", md5.Sum(text), sha256.Sum256(text), crc32.ChecksumIEEE(text))
	hash := fnv.New64a()
	hash.Write(text)
	fmt.Println(hash.Sum64())
	mac := hmac.New(sha256.New, []byte("key"))
	mac.Write(text)
	fmt.Println(hex.EncodeToString(mac.Sum(nil)))
	encoded := base64.StdEncoding.EncodeToString(text)
	decoded, err := base64.StdEncoding.DecodeString(encoded)
	fmt.Println(encoded, bytes.Equal(decoded, text), err)

	var packed bytes.Buffer
	writer := gzip.NewWriter(&packed)
	io.WriteString(writer, strings.Repeat("SoulBox ", 10000))
	writer.Close()
	reader, err := gzip.NewReader(&packed)
	if err != nil {
		panic(err)
	}
	size := packed.Len()
	unpacked, _ := io.ReadAll(reader)
	fmt.Println(size < 1000, len(unpacked))

	block, err := aes.NewCipher([]byte("0123456789abcdef"))
	if err != nil {
		panic(err)
	}
	secret := make([]byte, len(text))
	cipher.NewCTR(block, make([]byte, aes.BlockSize)).XORKeyStream(secret, text)
	fmt.Println(hex.EncodeToString(secret[:16]))
	head := binary.BigEndian.AppendUint32(nil, 0xCAFEBABE)
	head = binary.AppendUvarint(head, 300)
	fmt.Println(head)
	chain := sha256.Sum256(nil)
	for range 200_000 {
		chain = sha256.Sum256(chain[:])
	}
	fmt.Printf("%x\n", chain[:8])
}
