import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.WakeupException;

/** A member of a group: prints, with the time, each record it processes and each callback. */
public class Member {
    static long stallAt = Long.MAX_VALUE;
    static long stallMs = 0;

    static void say(String what) {
        System.out.println(System.currentTimeMillis() + " " + what);
        System.out.flush();
    }

    static void sayPartitions(String what, Collection<TopicPartition> partitions) {
        say(what + " " + partitions.stream().map(TopicPartition::partition).sorted().toList());
    }

    /** Arguments: the topic, then NAME=VALUE: Kafka's settings, and stallAt (ms since 1970), stallMs. */
    public static void main(String[] arguments) {
        Properties properties = new Properties();
        String bytes = "org.apache.kafka.common.serialization.ByteArrayDeserializer";
        properties.put("key.deserializer", bytes);
        properties.put("value.deserializer", bytes);
        for (String argument : List.of(arguments).subList(1, arguments.length)) {
            String[] pair = argument.split("=", 2);
            switch (pair[0]) {
                case "stallAt" -> stallAt = Long.parseLong(pair[1]);
                case "stallMs" -> stallMs = Long.parseLong(pair[1]);
                default -> properties.put(pair[0], pair[1]);
            }
        }
        KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(properties);
        Thread application = Thread.currentThread();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            consumer.wakeup();
            try {
                application.join();
            } catch (InterruptedException interrupted) {
                say("interrupted");
            }
        }));
        consumer.subscribe(List.of(arguments[0]), new ConsumerRebalanceListener() {
            public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
                sayPartitions("assigned", partitions);
            }

            public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
                sayPartitions("revoked", partitions);
            }

            public void onPartitionsLost(Collection<TopicPartition> partitions) {
                sayPartitions("lost", partitions);
            }
        });
        try {
            while (true) processAll(consumer);
        } catch (WakeupException closing) {
            consumer.close();
        } catch (InterruptedException interrupted) {
            say("interrupted");
        }
    }

    static void processAll(KafkaConsumer<byte[], byte[]> consumer) throws InterruptedException {
        for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(100))) {
            if (System.currentTimeMillis() >= stallAt) {
                stallAt = Long.MAX_VALUE;
                Thread.sleep(stallMs);
            }
            say("processed " + record.partition() + " " + record.offset() + " " + record.timestamp());
        }
    }
}
