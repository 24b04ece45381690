using Iommufd.Actors;
using Iommufd.Core.Faults;
using Iommufd.Core.Flows;
using Iommufd.Messages.Flows;
using Iommufd.Scenarios.Faults;

namespace Iommufd.Zoo.Tests;

/// <summary>
/// A mistake that a simulator of iommufd, or the kernel, could make, re-enacted in front of parts that are right. The program itself has
/// no switch for it: everything goes through the seams of <see cref="HostOptions"/>.
/// </summary>
/// <param name="Name">Short name.</param>
/// <param name="What">What is wrong, in a few words.</param>
/// <param name="Habitat">The scenario in which it is looked for.</param>
/// <param name="Make">Puts it into a host; called once for each run, so that what it remembers is the run's own.</param>
internal sealed record Mistake(string Name, string What, string Habitat, Func<HostOptions, HostOptions> Make)
{
    /// <summary>Where it really happened; null where it is only likely.</summary>
    public string? Kernel { get; init; }

    /// <summary>Faults that bring the run to the place; null for none.</summary>
    public FaultPlan? Faults { get; init; }

    /// <inheritdoc/>
    public override string ToString() => Name;
}

/// <summary>What a mistake makes of a request; <c>go</c> is what the participant would do.</summary>
internal delegate FlowResponse Rule(FlowRequest request, Func<FlowRequest, FlowResponse> go);

/// <summary>Stands in front of a participant.</summary>
internal sealed class Meddler(IFlowParticipant inner, Rule rule) : IFlowParticipant
{
    public FlowResponse Handle(FlowRequest request) => rule(request, inner.Handle);
}

/// <summary>Short ways to put mistakes into a host.</summary>
internal static class Meddling
{
    /// <summary>In front of every participant of a kind; each gets a rule of its own.</summary>
    public static Func<HostOptions, HostOptions> At(ParticipantKind kind, Func<IFlowParticipant, Rule> make) =>
        options => options with { Wrap = (who, state) => who.Kind == kind ? new Meddler(state, make(state)) : state };

    /// <summary>In front of every participant of a kind; the rule remembers nothing.</summary>
    public static Func<HostOptions, HostOptions> At(ParticipantKind kind, Rule rule) => At(kind, _ => rule);

    /// <summary>A request of this type is answered without being done.</summary>
    public static Rule Forget<T>()
        where T : FlowRequest => (request, go) => request is T ? FlowResponse.Done : go(request);

    /// <summary>Mappings fail half-way now and then, so that they are rolled back.</summary>
    public static FaultPlan Rollbacks { get; } =
        new(
            "rollbacks",
            "Installations fail",
            [new FaultRule([FaultPoints.IopteInstall, FaultPoints.TableAlloc]) { Probability = 0.1 }]
        );
}
