import java.util.List;
import java.util.Properties;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;

/** Sends to topics at a steady rate, partition by partition. Prints when it begins. */
public class Feed {
    /** Arguments: broker, partitions, records a second, seconds, topics. */
    public static void main(String[] arguments) throws Exception {
        Properties properties = new Properties();
        properties.put("bootstrap.servers", arguments[0]);
        String bytes = "org.apache.kafka.common.serialization.ByteArraySerializer";
        properties.put("key.serializer", bytes);
        properties.put("value.serializer", bytes);
        int partitions = Integer.parseInt(arguments[1]);
        long rate = Long.parseLong(arguments[2]);
        long count = rate * Long.parseLong(arguments[3]);
        List<String> topics = List.of(arguments).subList(4, arguments.length);
        try (Admin admin = Admin.create(properties)) {
            admin.createTopics(topics.stream().map(t -> new NewTopic(t, partitions, (short) 1)).toList())
                .all()
                .get();
        }
        try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(properties)) {
            long begin = System.nanoTime();
            System.out.println(System.currentTimeMillis());
            System.out.flush();
            for (long i = 0; i < count; i++) {
                long wait = begin + i * 1_000_000_000L / rate - System.nanoTime();
                if (wait > 0) Thread.sleep(wait / 1_000_000, (int) (wait % 1_000_000));
                for (String topic : topics) {
                    producer.send(
                        new ProducerRecord<>(topic, (int) (i % partitions), null, new byte[100]));
                }
            }
        }
    }
}
