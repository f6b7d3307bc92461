using System.Buffers.Binary;
using System.Text;
using Attune.Torch.Stages;
using Xunit;

namespace Attune.Torch.Tests.Stages;

public sealed class EventFileTests
{
    [Fact]
    public void AScalarRecordIsTheBytesThatTensorBoardWrites()
    {
        // Written by hand from tensorflow/core/util/event.proto and summary.proto: wall_time 1.5, step 300, loss 0.25.
        byte[] message =
        [
            0x09, .. BitConverter.GetBytes(1.5), 0x10, 0xAC, 0x02, 0x2A, 0x0D,
            0x0A, 0x0B, 0x0A, 0x04, .. "loss"u8, 0x15, .. BitConverter.GetBytes(0.25f),
        ];
        var record = EventFile.Scalars(1.5, 300, [new("loss", 0.25)]);
        Assert.Equal((ulong)message.Length, BinaryPrimitives.ReadUInt64LittleEndian(record));
        Assert.Equal(message, record[12..^4]);
    }

    [Fact]
    public void ChecksumsAreMaskedCrc32C()
    {
        // CRC-32C of "123456789" is 0xE3069283 (RFC 3720); TFRecord rotates it by 15 and adds 0xa282ead8.
        Assert.Equal(uint.RotateRight(0xE3069283, 15) + 0xa282ead8, EventFile.Masked(Encoding.ASCII.GetBytes("123456789")));
    }
}
