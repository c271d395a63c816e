// Calls a server of ours as a program that knows nothing but its address: it learns the service by
// reflection, as grpcurl does, and prints what it saw as one JSON object.
//
//	go run . unix:/path/to.sock
package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log"
	"os"
	"sort"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health/grpc_health_v1"
	reflectionv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
)

const service = "bonafide.testing.v1.Echo"

type failure struct {
	Code       string            `json:"code"`
	Message    string            `json:"message"`
	Reason     string            `json:"reason,omitempty"`
	Domain     string            `json:"domain,omitempty"`
	Metadata   map[string]string `json:"metadata,omitempty"`
	RetryMs    int64             `json:"retryMs,omitempty"`
	DetailURLs []string          `json:"detailUrls"`
}

func main() {
	conn, err := grpc.NewClient(os.Args[1], grpc.WithTransportCredentials(insecure.NewCredentials()))
	check(err)
	defer conn.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()

	seen := map[string]any{}
	names, files := describe(ctx, conn)
	seen["services"] = names
	desc, err := files.FindDescriptorByName(service)
	check(err)
	methods := desc.(protoreflect.ServiceDescriptor).Methods()
	message := methods.ByName("Say").Input()
	text := message.Fields().ByName("text")
	count := message.Fields().ByName("count")
	request := func(value string, times uint32) *dynamicpb.Message {
		m := dynamicpb.NewMessage(message)
		m.Set(text, protoreflect.ValueOfString(value))
		m.Set(count, protoreflect.ValueOfUint32(times))
		return m
	}
	textOf := func(m *dynamicpb.Message) string { return m.Get(text).String() }
	say := func(ctx context.Context, value string) (string, error) {
		answer := dynamicpb.NewMessage(message)
		err := conn.Invoke(ctx, "/"+service+"/Say", request(value, 0), answer)
		return textOf(answer), err
	}
	open := func(ctx context.Context, method protoreflect.Name, requests ...*dynamicpb.Message) grpc.ClientStream {
		m := methods.ByName(method)
		stream, err := conn.NewStream(ctx, &grpc.StreamDesc{
			ClientStreams: m.IsStreamingClient(),
			ServerStreams: m.IsStreamingServer(),
		}, "/"+service+"/"+string(method))
		check(err)
		for _, each := range requests {
			check(stream.SendMsg(each))
		}
		check(stream.CloseSend())
		return stream
	}
	readAll := func(stream grpc.ClientStream) ([]string, error) {
		texts := []string{}
		for {
			answer := dynamicpb.NewMessage(message)
			if err := stream.RecvMsg(answer); errors.Is(err, io.EOF) {
				return texts, nil
			} else if err != nil {
				return texts, err
			}
			texts = append(texts, textOf(answer))
		}
	}

	said, err := say(ctx, "héllo")
	check(err)
	repeated, err := readAll(open(ctx, "Repeat", request("r", 3)))
	check(err)
	joined, err := readAll(open(ctx, "Join", request("a", 0), request("b", 0)))
	check(err)
	chatted, err := readAll(open(ctx, "Chat", request("c", 0), request("d", 0)))
	check(err)
	seen["say"], seen["repeat"], seen["join"], seen["chat"] = said, repeated, joined, chatted

	_, err = say(ctx, "refuse")
	seen["refused"] = describeFailure(err)
	partial, err := readAll(open(ctx, "Repeat", request("refuse", 1)))
	seen["refusedStream"] = map[string]any{"texts": partial, "failure": describeFailure(err)}
	short, cancelShort := context.WithTimeout(ctx, 50*time.Millisecond)
	defer cancelShort()
	_, err = say(short, "wait")
	seen["deadline"] = status.Code(err).String()
	seen["unknownMethod"] = status.Code(conn.Invoke(ctx, "/"+service+"/Shout", request("", 0), request("", 0))).String()

	health := grpc_health_v1.NewHealthClient(conn)
	checked, err := health.Check(ctx, &grpc_health_v1.HealthCheckRequest{})
	check(err)
	_, err = health.Check(ctx, &grpc_health_v1.HealthCheckRequest{Service: "no.Such"})
	seen["health"] = []string{checked.Status.String(), status.Code(err).String()}

	check(json.NewEncoder(os.Stdout).Encode(seen))
}

// describe lists the services and builds the files of the one under test, imports included.
func describe(ctx context.Context, conn *grpc.ClientConn) ([]string, *protoregistry.Files) {
	stream, err := reflectionv1.NewServerReflectionClient(conn).ServerReflectionInfo(ctx)
	check(err)
	ask := func(request *reflectionv1.ServerReflectionRequest) *reflectionv1.ServerReflectionResponse {
		check(stream.Send(request))
		answer, err := stream.Recv()
		check(err)
		return answer
	}
	names := []string{}
	list := ask(&reflectionv1.ServerReflectionRequest{
		MessageRequest: &reflectionv1.ServerReflectionRequest_ListServices{},
	})
	for _, each := range list.GetListServicesResponse().GetService() {
		names = append(names, each.GetName())
	}
	sort.Strings(names)
	set := &descriptorpb.FileDescriptorSet{}
	answer := ask(&reflectionv1.ServerReflectionRequest{
		MessageRequest: &reflectionv1.ServerReflectionRequest_FileContainingSymbol{
			FileContainingSymbol: service,
		},
	})
	for _, bytes := range answer.GetFileDescriptorResponse().GetFileDescriptorProto() {
		file := &descriptorpb.FileDescriptorProto{}
		check(proto.Unmarshal(bytes, file))
		set.File = append(set.File, file)
	}
	check(stream.CloseSend())
	files, err := protodesc.NewFiles(set)
	check(err)
	return names, files
}

func describeFailure(err error) failure {
	found := status.Convert(err)
	seen := failure{Code: found.Code().String(), Message: found.Message(), DetailURLs: []string{}}
	if found.Code() == codes.OK {
		return seen
	}
	for _, each := range found.Proto().GetDetails() {
		seen.DetailURLs = append(seen.DetailURLs, each.GetTypeUrl())
	}
	for _, each := range found.Details() {
		switch detail := each.(type) {
		case *errdetails.ErrorInfo:
			seen.Reason, seen.Domain, seen.Metadata = detail.GetReason(), detail.GetDomain(), detail.GetMetadata()
		case *errdetails.RetryInfo:
			seen.RetryMs = detail.GetRetryDelay().AsDuration().Milliseconds()
		}
	}
	return seen
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
