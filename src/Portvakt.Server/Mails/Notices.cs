using System.Threading.Channels;

namespace Portvakt.Server.Mails;

/// <summary>What a person's phones are told beside the mail (R37), until the delivery of pushes takes it. In memory only: the mail is what surely arrives.</summary>
public sealed class Notices
{
    private readonly Channel<Notice> _waiting = Channel.CreateBounded<Notice>(new BoundedChannelOptions(10_000) { FullMode = BoundedChannelFullMode.DropOldest });

    public ChannelReader<Notice> Waiting => _waiting.Reader;

    public void Add(Notice notice) => _waiting.Writer.TryWrite(notice);
}

/// <summary>Something about a person's account has changed.</summary>
/// <param name="PersonId">Whose account.</param>
/// <param name="ExceptPhoneId">The phone that was added or removed: it is there when it happens.</param>
/// <param name="Text">Says that something changed, not what, in the person's language.</param>
/// <param name="Language">nb, nn or en.</param>
public sealed record Notice(Guid PersonId, Guid? ExceptPhoneId, string Text, string Language);
