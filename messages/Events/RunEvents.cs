// The run's own stream, beside those of its contexts: what was run and how, how far its clients came, how it ended. A journal says
// by itself what it is a journal of, so that a run that was killed can go on without the file that it was started from.
namespace Iommufd.Messages.Events;

/// <summary>Something that a run did. Sender: the run. Receiver: its journal, in the stream <see cref="RunStream.PersistenceId"/>.</summary>
public abstract record RunEvent : ContextEvent;

/// <summary>The stream that run events are in.</summary>
public static class RunStream
{
    /// <summary>Its persistence id.</summary>
    public const string PersistenceId = "iommufd-run";
}

/// <summary>A run begins. Always the first event of a journal; nothing is done before it is durable.</summary>
/// <param name="Version">Version of the event vocabulary.</param>
/// <param name="Product">Version of the program.</param>
/// <param name="Scenario">The scenario's file as the user named it.</param>
/// <param name="Text">The scenario's whole text.</param>
/// <param name="Settings">What <c>--set</c> said: name, value; repeated.</param>
/// <param name="IsSeeded">Whether the seed decides the schedule too, so that the run can be repeated exactly.</param>
/// <param name="Seed">Decides every random choice of the scenario.</param>
/// <param name="Durability">What a reply waits for: strict or group.</param>
/// <param name="Options">Further options that decide what the run does: name, value; repeated.</param>
public sealed record RunStarted(
    int Version,
    string Product,
    string Scenario,
    string Text,
    string[] Settings,
    bool IsSeeded,
    ulong Seed,
    string Durability,
    string[] Options
) : RunEvent;

/// <summary>A client has done all its steps and closed its context.</summary>
/// <param name="Client">Its number in the run, from 0.</param>
public sealed record ClientFinished(long Client) : RunEvent;

/// <summary>As many clients as a barrier waits for have come to it.</summary>
/// <param name="Meeting">The barrier's name.</param>
public sealed record BarrierOpened(string Meeting) : RunEvent;

/// <summary>The run was asked to stop: from here on clients only finish what is under way and close.</summary>
/// <param name="Reason">Why, for people.</param>
public sealed record RunStopping(string Reason) : RunEvent;

/// <summary>A run that was killed goes on, with its unfinished clients from their beginning.</summary>
/// <param name="Product">Version of the program that goes on with it.</param>
/// <param name="Closed">The contexts that were open when it was killed, and are closed now as the kernel closes those of a killed process.</param>
public sealed record RunContinued(string Product, int[] Closed) : RunEvent;

/// <summary>The run has ended. Always the last event.</summary>
/// <param name="Digest">The digest of the state.</param>
/// <param name="Leaked">Objects that closing could not destroy.</param>
/// <param name="StopReason">Why it was cut short; empty when it was not.</param>
public sealed record RunFinished(ulong Digest, int Leaked, string StopReason) : RunEvent;
