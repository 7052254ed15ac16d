package soulbox.maven;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/** The system's certificates, which the runtime does not read by itself. */
final class Certificates {
    private static final String VARIABLE = "SSL_CERT_FILE";
    private static final String BUNDLE = "/etc/ssl/certs/ca-certificates.crt";

    private Certificates() {}

    /** Trusts what is in the bundle of PEM certificates, and nothing else. */
    static void trust() throws IOException {
        Path bundle = Path.of(System.getenv().getOrDefault(VARIABLE, BUNDLE));
        try (InputStream input = Files.newInputStream(bundle)) {
            KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
            store.load(null, null);
            CertificateFactory factory = CertificateFactory.getInstance("X.509");
            for (Certificate certificate : factory.generateCertificates(input)) {
                store.setCertificateEntry(String.valueOf(store.size()), certificate);
            }
            TrustManagerFactory trust =
                    TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            trust.init(store);
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(null, trust.getTrustManagers(), null);
            SSLContext.setDefault(context);
        } catch (GeneralSecurityException problem) {
            throw new IOException(bundle + ": " + problem.getMessage(), problem);
        }
    }
}
